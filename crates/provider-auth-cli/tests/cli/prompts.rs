//! `login` at a terminal: no echo, and a terminal that is as it was on every way out.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::world::{World, binary, has};

/// A terminal with a shell that runs this.
struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    seen: String,
}

impl Terminal {
    fn open(world: &World, line: &str) -> Self {
        let mut command = Command::new("script");
        world.point(&mut command);
        command.args(["-qec", line, "/dev/null"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (keys, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, keys, screen, seen: String::new() }
    }

    fn wait_for(&mut self, text: &str) {
        let mut buffer = [0; 4096];
        while !self.seen.contains(text) {
            let count = self.screen.read(&mut buffer).unwrap();
            assert_ne!(count, 0, "no `{text}`: {}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    fn type_in(&mut self, keys: &str) {
        // The prompt is on the screen a moment before what is typed ahead is thrown away.
        std::thread::sleep(std::time::Duration::from_millis(200));
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    fn end(mut self) -> (i32, String) {
        let mut rest = Vec::new();
        self.screen.read_to_end(&mut rest).unwrap();
        self.seen.push_str(&String::from_utf8_lossy(&rest));
        (self.child.wait().unwrap().code().unwrap(), self.seen)
    }
}

#[test]
fn a_secret_is_asked_for_without_echo() {
    let world = World::new();
    if !has("script") {
        return;
    }
    let manis = world.sandbox.manis();
    let credentials = manis.credentials();
    let mut terminal = Terminal::open(&world, &format!("{} login manis", binary().display()));
    for (prompt, answer) in [
        ("MANIS_MERCHANT_ID: ", credentials.id()),
        ("MANIS_SECRET: ", credentials.secret()),
        ("MANIS_BASE_URL: ", manis.base_url()),
    ] {
        terminal.wait_for(prompt);
        terminal.type_in(&format!("{answer}\n"));
    }
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains(credentials.id()) && !seen.contains(credentials.secret()), "{seen}");
    assert!(seen.contains("the credentials work"), "{seen}");
}

#[test]
fn the_terminal_echoes_again_on_every_way_out() {
    let world = World::new();
    if !has("script") || !has("stty") {
        return;
    }
    for (keys, code) in [("\u{3}", 130), ("\u{4}", 130), ("TERM", 143), ("HUP", 129)] {
        // The shell stays, and the signal of `kill` goes to the command alone.
        let line = format!(
            "trap : INT; sh -c 'echo id=$$; exec {} login manis'; echo code=$?; stty -a",
            binary().display()
        );
        let mut terminal = Terminal::open(&world, &line);
        terminal.wait_for("MANIS_MERCHANT_ID: ");
        terminal.type_in("m-1\n");
        terminal.wait_for("MANIS_SECRET: ");
        if keys.len() > 1 {
            let id = terminal.seen.split("id=").nth(1).unwrap().split_whitespace().next().unwrap();
            let status = Command::new("kill").args([&format!("-{keys}"), id]).status().unwrap();
            assert!(status.success());
        } else {
            terminal.type_in(keys);
        }
        let (_, seen) = terminal.end();
        assert!(seen.contains(&format!("code={code}")), "{keys:?}: {seen}");
        let words: Vec<_> = seen.split_whitespace().collect();
        assert!(words.contains(&"echo") && !words.contains(&"-echo"), "{keys:?}: {seen}");
    }
}
