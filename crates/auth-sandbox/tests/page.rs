//! The page of the control port, in a real Chromium: what a person sees, clicks and types.

// Test code outside a `#[test]` function, which the lint configuration does not recognise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod browser;
mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use auth_sandbox::{Credentials, Fault, Handle, Provider, RetryAfter, Sandbox, SandboxBuilder};
use browser::Browser;
use common::{Call, Reply, api, right};
use serde_json::{Value, json};

const TAB: char = '\u{e004}';
const SHIFT: char = '\u{e008}';
const ENTER: char = '\u{e007}';

fn usual() -> SandboxBuilder {
    Sandbox::builder().control(0).fixed_credentials(true)
}

/// The page of a sandbox, open, with what it has asked first on it.
fn open(sandbox: &Sandbox) -> Option<Browser> {
    let browser = Browser::start()?;
    browser.open(&address(sandbox));
    browser.until(LIVE);
    Some(browser)
}

fn address(sandbox: &Sandbox) -> String {
    sandbox.control_url().unwrap().trim_end_matches("__sandbox").to_owned()
}

const LIVE: &str = "document.querySelector('#link.good')";

/// Sends a request as a client does. `None` if there was no answer.
fn send<P>(handle: &Handle<P>, call: &Call) -> Option<Reply> {
    let mut socket = TcpStream::connect(("127.0.0.1", handle.port())).unwrap();
    socket.write_all(&call.bytes()).unwrap();
    let mut bytes = Vec::new();
    let read = socket.read_to_end(&mut bytes);
    (read.is_ok() && !bytes.is_empty()).then(|| Reply::parse(&bytes))
}

fn status<P>(handle: &Handle<P>, call: &Call) -> u16 {
    send(handle, call).unwrap().status
}

/// An expression for the text of a part of a provider's card.
fn on_card(provider: &str, part: &str) -> String {
    format!(
        "document.getElementById('{provider}-title').closest('article').querySelector('{part}').innerText"
    )
}

/// An expression for the text of the newest request.
const NEWEST: &str = "(document.querySelector('#rows tr')?.innerText ?? '')";

fn newest_has(words: &[&str]) -> String {
    let all: Vec<_> =
        words.iter().map(|word| format!("{NEWEST}.includes({})", json!(word))).collect();
    all.join(" && ")
}

#[test]
fn a_fault_is_injected_by_click_met_by_a_client_and_cleared_by_click() {
    let sandbox = usual().start_blocking().unwrap();
    let manis = sandbox.manis();
    let Some(browser) = open(&sandbox) else { return };
    let titles =
        browser.text("[...document.querySelectorAll('h3')].map(it => it.textContent).join()");
    assert_eq!(titles, "Digitalpaye,Digishare,TresorPay,Papaya Global,Manis,All five");
    for handle in sandbox.handles() {
        let name = handle.provider().name();
        let shown = browser.text(&on_card(name, ".vars"));
        for line in handle.exports().lines() {
            assert!(shown.lines().any(|it| it == line), "{line} is not in {shown}");
        }
        assert_eq!(browser.text(&on_card(name, ".url")), format!("POST {}", handle.token_url()));
    }

    // It is never loaded again: this stays.
    browser.value("window.mark = 'here'");
    browser.click("#manis-times option[value='']");
    browser.click("#manis-inject");
    browser.until(&format!("{} === 'Status 503, until cleared'", on_card("manis", ".set")));
    browser.until(
        "document.getElementById('status').textContent === 'Next request at Manis: Status 503.'",
    );
    assert_eq!(status(&manis, &right(&manis)), 503);
    browser.until(&newest_has(&["Manis", "POST /api/v1/auth/token", "fault", "503", "status"]));
    browser.until(&format!("{} === '1'", on_card("manis", "[data-counter=faults_served]")));
    browser.until(&format!("{}.includes('503 fault: status')", on_card("manis", ".last")));
    assert_eq!(browser.text(&on_card("papaya", ".set")), "Works normally");

    browser.click("#manis-clear");
    browser.until(&format!("{} === 'Works normally'", on_card("manis", ".set")));
    assert_eq!(status(&manis, &right(&manis)), 200);
    browser.until(&newest_has(&["Manis", "sandbox-manis", "granted", "200"]));
    assert_eq!(status(&manis, &right(&manis).replace("x-secret", "wrong")), 401);
    browser.until(&newest_has(&["refused", "401", "the secret is wrong"]));

    browser.click("#all-fault option[value*=reset]");
    browser.click("#all-inject");
    browser.until(&format!("{} === 'Connection reset, 1 more'", on_card("papaya", ".set")));
    for handle in sandbox.handles() {
        assert!(send(&handle, &right(&handle)).is_none(), "{handle:?}");
    }
    browser.until(&newest_has(&["Manis", "fault", "no answer", "reset"]));
    assert_eq!(browser.text("window.mark"), "here");
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn every_fault_of_the_menu_can_be_injected() {
    let sandbox = usual().start_blocking().unwrap();
    let Some(browser) = open(&sandbox) else { return };
    let count = browser.value("document.getElementById('manis-fault').options.length");
    let count = count.as_u64().unwrap();
    assert!(count > 20, "{count}");
    for at in 0..count {
        let words = browser.text(&format!(
            "{{ const menu = document.getElementById('manis-fault'); menu.selectedIndex = {at};
               menu.selectedOptions[0].textContent }}"
        ));
        browser.value("document.getElementById('manis-inject').click()");
        browser.until(&format!("{}.includes({})", on_card("manis", ".set"), json!(words)));
        browser.value("document.getElementById('manis-clear').click()");
        browser.until(&format!("{} === 'Works normally'", on_card("manis", ".set")));
    }
}

#[test]
fn secrets_are_rotated_tokens_revoked_and_lifetimes_set_by_click() {
    let sandbox = usual().start_blocking().unwrap();
    let manis = sandbox.manis();
    let Some(browser) = open(&sandbox) else { return };
    let old = right(&manis);
    let token = send(&manis, &old).unwrap().token();
    assert_eq!(status(&manis, &api(&manis, &token)), 200);
    browser.click("#manis-revoke");
    browser.until(
        "document.getElementById('status').textContent.startsWith('Manis refuses the tokens')",
    );
    assert_eq!(status(&manis, &api(&manis, &token)), 401);
    browser.until(&newest_has(&["GET /api/v1/payments", "401", "refused"]));

    let before = manis.credentials().secret().to_owned();
    browser.click("#manis-rotate");
    browser.until(
        "document.getElementById('status').textContent.startsWith('Manis has a new secret')",
    );
    let now = manis.credentials().secret().to_owned();
    assert_ne!(now, before);
    let line = json!(format!("export MANIS_SECRET={now}"));
    browser.until(&format!("{}.includes({line})", on_card("manis", ".vars")));
    assert_eq!(status(&manis, &old), 401);
    assert_eq!(status(&manis, &right(&manis)), 200);

    browser.click("#manis-lifetime");
    browser.press('9');
    browser.click("#manis-live");
    browser
        .until("document.getElementById('status').textContent === 'Manis: new tokens live 9 s.'");
    let claims = common::jwt(&send(&manis, &right(&manis)).unwrap().token()).1;
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 9);

    browser.click("#reset");
    browser.until(&format!("{}.includes({})", on_card("manis", ".vars"), json!(before)));
    browser.until("document.getElementById('rows').children.length === 0");
    assert_eq!(status(&manis, &old), 200);
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn what_is_copied_is_what_a_shell_takes() {
    let own = Credentials::new("it's $HOME", "made-up");
    let sandbox = usual().account(Provider::Manis, own).start_blocking().unwrap();
    let Some(browser) = open(&sandbox) else { return };
    let rights = json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    browser.chromium("Browser.grantPermissions", rights);
    browser.click("#manis-copy");
    browser.until("document.getElementById('status').textContent.startsWith('Copied')");
    let copied = browser.text("navigator.clipboard.readText()");
    assert_eq!(copied, sandbox.manis().exports());
    browser.click("#manis-curl");
    browser.until("document.getElementById('status').textContent === 'Copied: curl.'");
    assert_eq!(browser.text("navigator.clipboard.readText()"), sandbox.manis().curl());
    // Where there is no clipboard for scripts: over http from another machine.
    browser.value("void Object.defineProperty(navigator, 'clipboard', { value: undefined })");
    browser.click("#papaya-copy");
    browser.until("document.getElementById('status').textContent === 'Copied: Copy variables.'");
    assert_eq!(browser.text("document.activeElement.id"), "papaya-copy");
}

#[test]
fn it_speaks_french_by_click_and_by_address() {
    let sandbox = usual().start_blocking().unwrap();
    let manis = sandbox.manis();
    manis.inject_times(Fault::Status(503), 2);
    send(&manis, &right(&manis));
    let Some(browser) = open(&sandbox) else { return };
    browser.until(&newest_has(&["fault", "503"]));
    assert_eq!(browser.text("document.documentElement.lang"), "en");
    let words = "[...document.querySelectorAll('[data-t]')].map(it => it.textContent)";
    browser.value(&format!("window.english = {words}"));
    browser.click("#language");
    let french = |browser: &Browser| {
        browser.until("document.documentElement.lang === 'fr'");
        browser.until(&format!("{} === 'Statut 503, encore 1 fois'", on_card("manis", ".set")));
        browser.until(&newest_has(&["Manis", "panne", "503"]));
        assert_eq!(browser.text("document.querySelector('h2').textContent"), "Fournisseurs");
        assert_eq!(browser.text("document.querySelector('#link').textContent"), "En direct");
        let menu = browser.text("document.querySelector('#manis-fault optgroup').label");
        assert_eq!(menu, "Une autre réponse");
    };
    french(&browser);
    let same = browser.value(&format!("{words}.filter((it, at) => it === window.english[at])"));
    // These two words are both English and French.
    let same: Vec<_> = same.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(same.iter().all(|word| ["Pause", "Verdict"].contains(word)), "{same:?}");
    browser.open(&browser.text("location.href"));
    browser.until(LIVE);
    french(&browser);
    browser.click("#language");
    browser.until(&format!("{} === 'Status 503, 1 more'", on_card("manis", ".set")));
}

#[test]
fn the_keyboard_alone_is_enough() {
    let sandbox = usual().start_blocking().unwrap();
    let Some(browser) = open(&sandbox) else { return };
    browser.press(TAB);
    assert_eq!(browser.text("document.activeElement.textContent"), "Skip to the providers");
    assert!(browser.value("document.activeElement.getBoundingClientRect().left >= 0") == true);
    browser.press(ENTER);
    let mut met = Vec::new();
    while met.last().is_none_or(|id| id != "papaya-inject") {
        browser.press(TAB);
        let seen = browser.value(
            "{ const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect();
               const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
               style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && it.contains(hit) }",
        );
        let id = browser.text("document.activeElement.id");
        assert_eq!(seen, true, "the focus is not seen on {id}");
        met.push(id);
        assert!(met.len() < 100, "{met:?}");
    }
    assert!(!met.contains(&"reset".to_owned()), "the link skips nothing: {met:?}");
    browser.press(ENTER);
    browser.until(&format!("{} === 'Status 503, 1 more'", on_card("papaya", ".set")));
    assert_eq!(browser.text("document.activeElement.id"), "papaya-inject");
    assert_eq!(status(&sandbox.papaya(), &right(&sandbox.papaya())), 503);
    browser.press(TAB);
    browser.press(ENTER);
    browser.until(&format!("{} === 'Works normally'", on_card("papaya", ".set")));
    // The focus stays through what the page shows anew.
    browser.until("document.getElementById('status').textContent.includes('works normally')");
    assert_eq!(browser.text("document.activeElement.id"), "papaya-clear");
}

#[test]
fn what_a_client_sends_stays_text() {
    const EVIL: &str = "<img src=x onerror=document.title=1>";
    let sandbox = usual().start_blocking().unwrap();
    let manis = sandbox.manis();
    let account = manis.add_account(Credentials::new(EVIL, "made-up"));
    account.inject_times(Fault::Redirect { status: 302, location: EVIL.to_owned() }, 2);
    let encoded: String = EVIL.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let call = right(&manis).replace("x-merchant-id", EVIL).header("User-Agent", EVIL);
    assert_eq!(status(&manis, &call), 302);
    let call = call.target(&format!("/api/v1/auth/token?scope={encoded}"));
    assert_eq!(status(&manis, &call), 404);
    let Some(browser) = open(&sandbox) else { return };
    browser.until(&newest_has(&["?scope=<img src=x onerror=document.title=1>"]));
    browser.click("#rows summary");
    browser.until(
        "document.querySelector('#rows pre')?.textContent.includes('user-agent: <img src=x')",
    );
    let account = on_card("manis", ".set");
    browser.until(&format!("{account}.includes('(account <img') && {account}.includes('to <img')"));
    assert_eq!(
        browser.text("document.querySelector('#rows tr:last-child .account').textContent"),
        EVIL
    );
    assert_eq!(browser.value("document.querySelectorAll('img, script:not([src])').length"), 0);
    assert_eq!(browser.text("document.title"), "auth-sandbox");
    // Were it ever to become markup, the page's policy would refuse.
    let refused = browser.text(
        "(() => { try { document.body.innerHTML = '<img>'; return '' } catch (error) { return error.name } })()",
    );
    assert_eq!(refused, "TypeError");
}

#[test]
fn a_screen_reader_finds_a_name_on_every_control_and_a_role_on_every_row() {
    let sandbox = usual().start_blocking().unwrap();
    let manis = sandbox.manis();
    send(&manis, &right(&manis));
    let Some(browser) = open(&sandbox) else { return };
    for width in [1280, 360] {
        browser.size(width, 900);
        browser.until(&newest_has(&["granted"]));
        let tree = browser.chromium("Accessibility.getFullAXTree", json!({}));
        let nodes = tree["nodes"].as_array().unwrap();
        let of = |role: &str| {
            let nodes = nodes
                .iter()
                .filter(|node| node["role"]["value"] == role && node["ignored"] != true);
            nodes.map(|node| node["name"]["value"].as_str().unwrap_or_default()).collect::<Vec<_>>()
        };
        let mut names: Vec<_> =
            ["button", "combobox", "spinbutton", "link"].into_iter().flat_map(of).collect();
        assert!(names.len() > 50, "{names:?}");
        assert!(names.contains(&"Inject Manis") && names.contains(&"Fault TresorPay"), "{names:?}");
        assert!(names.iter().all(|name| !name.trim().is_empty()), "{names:?}");
        names.sort_unstable();
        let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
        assert!(twice.is_none(), "{twice:?} twice");
        assert_eq!(of("heading").len(), 1 + 2 + 6);
        assert_eq!((of("main").len(), of("banner").len(), of("article").len()), (1, 1, 6));
        assert_eq!(
            (of("row").len(), of("cell").len(), of("columnheader").len()),
            (2, 6, 6),
            "{width}"
        );
        // Other browsers take a row that is laid out as a block for no row, but for its role.
        let bare = "document.querySelectorAll('table:not([role]), table *:is(thead, tbody, tr, th, td):not([role])')";
        assert_eq!(browser.value(&format!("{bare}.length")), 0);
        assert_eq!(of("table").len(), 1);
        assert!(of("table")[0].starts_with("The last requests, newest first."));
        assert_eq!(of("status").len(), 2);
    }
}

#[test]
fn the_list_is_paused_and_cleared_and_says_what_is_gone() {
    let sandbox = usual().start_blocking().unwrap();
    let Some(browser) = open(&sandbox) else { return };
    let manis = sandbox.manis();
    browser.click("#pause");
    browser.until("document.getElementById('link').textContent === 'Paused'");
    let mut socket = TcpStream::connect(("127.0.0.1", manis.port())).unwrap();
    for _ in 0..1007 {
        socket.write_all(b"GET /api/v1/payments HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        assert!(socket.read(&mut [0; 4096]).unwrap() > 0);
    }
    browser.until(&format!("{} === '1007'", on_card("manis", "[data-counter=api_calls]")));
    assert_eq!(browser.value("document.getElementById('rows').children.length"), 0);
    browser.click("#pause");
    browser.until("document.getElementById('rows').children.length === 1000");
    browser.until(
        "document.getElementById('gone').textContent.startsWith('7 older requests are gone')",
    );
    // Others clear it too.
    sandbox.reset();
    browser.until("document.getElementById('rows').children.length === 0");
    browser.until("!document.getElementById('empty').hidden");
    send(&manis, &right(&manis));
    browser.until(&newest_has(&["granted"]));
    browser.click("#forget");
    browser.until("document.getElementById('rows').children.length === 0");
    assert!(sandbox.journal().is_empty());
}

#[test]
fn it_says_when_the_sandbox_is_away_and_goes_on_when_it_is_back() {
    let sandbox = usual().start_blocking().unwrap();
    let Some(browser) = open(&sandbox) else { return };
    let port = port(&sandbox);
    send(&sandbox.manis(), &right(&sandbox.manis()));
    browser.until(&newest_has(&["granted"]));
    drop(sandbox);
    browser.until(
        "document.getElementById('link').textContent.startsWith('No answer from the sandbox')",
    );
    browser.click("#manis-inject");
    browser.until("document.getElementById('status').textContent === 'That failed: no answer from the sandbox'");
    let again = usual().control(port).start_blocking().unwrap();
    send(&again.papaya(), &right(&again.papaya()));
    browser.until(LIVE);
    browser.until(&newest_has(&["Papaya Global", "granted"]));
    assert_eq!(browser.value("document.getElementById('rows').children.length"), 1);
}

/// What a day at the sandbox looks like.
fn busy(sandbox: &Sandbox) {
    for handle in sandbox.handles() {
        let token = send(&handle, &right(&handle)).unwrap().token();
        send(&handle, &api(&handle, &token));
    }
    let [manis, papaya, tresorpay] =
        [Provider::Manis, Provider::Papaya, Provider::TresorPay].map(|it| sandbox.handle(it));
    send(&manis, &right(&manis).replace("x-secret", "wrong"));
    send(&manis, &right(&manis).target("/api/v1/login"));
    papaya.inject_times(Fault::Reset, 1);
    send(&papaya, &right(&papaya));
    send(&papaya, &right(&papaya));
    let after = RetryAfter::In(std::time::Duration::from_secs(30));
    tresorpay.inject(Fault::RetryAfter { status: 429, after });
    send(&tresorpay, &right(&tresorpay));
    manis.inject_times(Fault::Status(503), 3);
    send(&manis, &right(&manis));
}

/// Text and controls that cannot be told from their ground: WCAG 2.2, 1.4.3 and 1.4.11.
const FAINT: &str = "(() => {
    const parse = (text) => { const all = text.match(/[\\d.]+/g).map(Number); return all.length > 3 ? all : [...all, 1]; };
    const part = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    const ground = (it) => {
        for (; it; it = it.parentElement) {
            const colour = parse(getComputedStyle(it).backgroundColor);
            if (colour[3] === 1) return colour;
        }
        return [255, 255, 255, 1];
    };
    const ratio = (a, b) => {
        const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
        return (high + 0.05) / (low + 0.05);
    };
    const faint = [];
    let measured = 0;
    for (const it of document.querySelectorAll('body *')) {
        if (!it.checkVisibility() || it.tagName === 'OPTION' || it.tagName === 'OPTGROUP') continue;
        const style = getComputedStyle(it);
        const control = ['BUTTON', 'SELECT', 'INPUT'].includes(it.tagName);
        const text = [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        const check = (what, a, b, least) => {
            measured += 1;
            if (ratio(parse(a), b) < least) faint.push(`${what} of ${it.tagName}.${it.className} ${it.id}: ${ratio(parse(a), b).toFixed(2)}`);
        };
        if (text || control) check('text', style.color, ground(it), 4.5);
        if (control) check('edge', style.borderTopColor, ground(it.parentElement), 3);
        if (it.tagName === 'INPUT') check('placeholder', getComputedStyle(it, '::placeholder').color, ground(it), 4.5);
    }
    return measured > 200 ? faint : [`only ${measured} measured`];
})()";

#[test]
fn it_reads_well_by_day_and_by_night_on_a_desk_and_on_a_telephone() {
    // The ports that the program has, if they are free: the guide shows a picture of this.
    let sandbox = usual().port(8080).control(8090).start_blocking();
    let sandbox = sandbox.or_else(|_| usual().start_blocking()).unwrap();
    busy(&sandbox);
    let Some(browser) = open(&sandbox) else { return };
    let reads = |what: &str| {
        for width in [1280, 360] {
            browser.size(width, 900);
            assert_eq!(browser.value(FAINT), json!([]), "{what} {width}");
            let wide = browser.value("document.documentElement.scrollWidth").as_u64().unwrap();
            assert!(wide <= width, "{what}: {wide} px are wider than {width}");
        }
    };
    for language in ["en", "fr"] {
        browser.open(&format!("{}?lang={language}", address(&sandbox)));
        browser.until(LIVE);
        browser.until("document.getElementById('rows').children.length > 10");
        for theme in ["light", "dark"] {
            browser.theme(theme);
            reads(&format!("{language} {theme}"));
            browser.picture(&format!("{theme}-{language}-1280"), 1280);
        }
        browser.theme("light");
        browser.picture(&format!("light-{language}-360"), 360);
    }
    assert_eq!(browser.console(), Vec::<String>::new());
    // A request that was opened, a refusal of the control API's, and a pause.
    browser.click("#rows summary");
    browser.click("#manis-lifetime");
    browser.press('-');
    browser.press('5');
    browser.click("#manis-live");
    browser
        .until("document.querySelector('#status.bad')?.textContent.startsWith('Échec : a number')");
    browser.click("#pause");
    browser.until("document.querySelector('#link.paused')");
    for theme in ["light", "dark"] {
        browser.theme(theme);
        reads(theme);
        browser.picture(&format!("{theme}-opened-1280"), 1280);
    }
}

/// The port of the page.
fn port(sandbox: &Sandbox) -> u16 {
    address(sandbox).trim_end_matches('/').rsplit_once(':').unwrap().1.parse().unwrap()
}

/// Another program on the sandbox's port, that answers everything with this.
struct Impostor(std::thread::JoinHandle<()>, std::sync::Arc<std::sync::atomic::AtomicBool>);

impl Impostor {
    fn start(port: u16, body: &'static str) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let end = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let ended = std::sync::Arc::clone(&end);
        let serve = move || {
            while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                let Ok((mut socket, _)) = listener.accept() else {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                    continue;
                };
                socket.set_nonblocking(false).unwrap();
                socket.set_read_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
                let _ = socket.read(&mut [0; 8192]);
                let length = body.len();
                let _ = write!(
                    socket,
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
                );
            }
        };
        Self(std::thread::spawn(serve), end)
    }

    fn ends(self) {
        self.1.store(true, std::sync::atomic::Ordering::Relaxed);
        self.0.join().unwrap();
    }
}

#[test]
fn another_program_on_its_port_is_not_taken_for_the_sandbox() {
    let sandbox = usual().start_blocking().unwrap();
    let Some(browser) = open(&sandbox) else { return };
    let port = port(&sandbox);
    drop(sandbox);
    for body in ["<html>nginx</html>", "{\"providers\":", "{}", "null"] {
        let other = Impostor::start(port, body);
        browser.until("document.querySelector('#link.away')");
        if !body.ends_with('}') {
            browser.click("#manis-inject");
            browser.until("document.getElementById('status').textContent === 'That failed: it is not the sandbox that answers'");
        }
        other.ends();
    }
    let _again = usual().control(port).start_blocking().unwrap();
    browser.until(LIVE);
}

#[test]
fn a_sandbox_that_restarts_between_two_looks_shows_its_own_requests_and_accounts_alone() {
    let sandbox = usual().start_blocking().unwrap();
    let Some(browser) = open(&sandbox) else { return };
    let port = port(&sandbox);
    send(&sandbox.manis(), &right(&sandbox.manis()));
    browser.until(&newest_has(&["Manis", "granted"]));
    drop(sandbox);
    let mut builder = usual().control(port).strict(true);
    for at in 0..1000 {
        builder = builder.account(Provider::Papaya, Credentials::new(format!("shop-{at}"), "x"));
    }
    let again = builder.start_blocking().unwrap();
    // More than before, so that the numbers alone do not tell.
    for _ in 0..3 {
        send(&again.papaya(), &right(&again.papaya()));
    }
    browser.until(&newest_has(&["Papaya Global", "granted"]));
    browser.until(&format!("{} === '3'", on_card("papaya", "[data-counter=tokens_issued]")));
    let names = "[...document.querySelectorAll('#rows .name')].map(it => it.textContent).join()";
    browser.until(&format!("{names} === 'Papaya Global,Papaya Global,Papaya Global'"));
    browser.until(&format!("{} === '1,000 accounts, strict'", on_card("papaya", ".aside")));
    assert!(browser.text(&on_card("papaya", ".vars")).contains("PAPAYA_API_KEY=shop-0"));
}

#[test]
fn ids_that_look_the_same_are_told_apart_and_copied_as_they_are() {
    let ids = ["shop1", "shop\u{200b}1", "shop\u{202e}1"];
    let mut builder = usual();
    for id in ids.iter().rev() {
        builder = builder.account(Provider::Papaya, Credentials::new(*id, "made-up"));
    }
    let sandbox = builder.start_blocking().unwrap();
    let papaya = sandbox.papaya();
    let Some(browser) = open(&sandbox) else { return };
    for (id, shown) in ids.into_iter().zip(["shop1", "shop\\u{200b}1", "shop\\u{202e}1"]) {
        papaya.account(id).unwrap().inject_times(Fault::Status(503), 2);
        let words = format!("Status 503 (account {shown}), 2 more");
        browser.until(&format!("{}.includes({})", on_card("papaya", ".set"), json!(words)));
        let pair = json!({ "api_key": id, "client_secret": "made-up" }).to_string();
        let call = right(&papaya).body(&pair);
        assert_eq!(status(&papaya, &call), 503);
        let cell = "document.querySelector('#rows .account')?.textContent";
        browser.until(&format!("{cell} === {}", json!(shown)));
        browser.click("#rows summary");
        let opened = "document.querySelector('#rows pre')?.textContent";
        browser.until(&format!("{opened}?.includes({})", json!("redacted")));
    }
    let rights = json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    browser.chromium("Browser.grantPermissions", rights);
    browser.click("#papaya-copy");
    browser.until("document.getElementById('status').textContent.startsWith('Copied')");
    assert_eq!(browser.text("navigator.clipboard.readText()"), papaya.exports());
}

#[test]
fn a_thousand_faults_are_a_few_lines_and_ten_thousand_requests_a_thousand_rows() {
    let mut builder = usual();
    for at in 0..1000 {
        builder = builder.account(Provider::Manis, Credentials::new(format!("shop-{at}"), "x"));
    }
    let sandbox = builder.start_blocking().unwrap();
    let manis = sandbox.manis();
    for pair in manis.accounts() {
        manis.account(pair.id()).unwrap().inject(Fault::Status(503));
    }
    let Some(browser) = open(&sandbox) else { return };
    browser.until(&format!("{}.endsWith('and 992 more')", on_card("manis", ".set")));
    let long = "word/".repeat(1000);
    let request = format!("GET /{long} HTTP/1.1\r\nHost: x\r\nAccept: {long}\r\n\r\n");
    let mut socket = TcpStream::connect(("127.0.0.1", sandbox.papaya().port())).unwrap();
    for at in 0..10_000 {
        socket.write_all(request.as_bytes()).unwrap();
        assert!(socket.read(&mut [0; 4096]).unwrap() > 0);
        if at == 5000 {
            browser.click("#manis-clear");
        }
    }
    browser.until("document.getElementById('status').textContent === 'Manis works normally.'");
    browser.until("document.getElementById('rows').children.length === 1000");
    browser.until("document.getElementById('gone').textContent.startsWith('9,000 older requests')");
    assert!(browser.text(NEWEST).contains("... [cut]"));
    browser.size(360, 900);
    browser.click("#rows summary");
    assert!(browser.value("document.documentElement.scrollWidth").as_u64() <= Some(360));
    browser.click("#language");
    browser.until("document.querySelector('#rows .badge').textContent === 'chemin inconnu'");
}

#[test]
fn two_tabs_show_the_same() {
    let sandbox = usual().start_blocking().unwrap();
    let manis = sandbox.manis();
    let Some(browser) = open(&sandbox) else { return };
    send(&manis, &right(&manis));
    browser.until(&newest_has(&["granted"]));
    let first = browser.tab();
    browser.open(&format!("{}?lang=fr", address(&sandbox)));
    browser.until(&newest_has(&["accordé"]));
    browser.click("#manis-inject");
    browser.until(&format!("{} === 'Statut 503, encore 1 fois'", on_card("manis", ".set")));
    browser.click("#forget");
    browser.until("document.getElementById('rows').children.length === 0");
    browser.turn_to(&first);
    browser.until(&format!("{} === 'Status 503, 1 more'", on_card("manis", ".set")));
    browser.until("document.getElementById('rows').children.length === 0");
    browser.click("#reset");
    browser.until(&format!("{} === 'Works normally'", on_card("manis", ".set")));
}

#[test]
fn the_focus_is_seen_at_200_and_400_percent() {
    let sandbox = usual().start_blocking().unwrap();
    let manis = sandbox.manis();
    for _ in 0..3 {
        send(&manis, &right(&manis));
    }
    let Some(browser) = open(&sandbox) else { return };
    // 1280 by 900 and 1024 at these zooms, in pixels of the page.
    for (width, height) in [(640, 450), (320, 256)] {
        browser.size(width, height);
        browser.open(&format!("{}?lang=fr", address(&sandbox)));
        browser.until("document.getElementById('rows').children.length === 3");
        assert!(browser.value("document.documentElement.scrollWidth").as_u64() <= Some(width));
        let seen = "{ const it = document.activeElement, box = it.getBoundingClientRect();
             const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
             it.contains(document.elementFromPoint(x, y)) && box.top >= 0 && box.bottom <= innerHeight + 1 }";
        for backwards in [false, true] {
            let (mut hidden, mut met) = (Vec::new(), std::collections::BTreeSet::new());
            // Once round, and a little more.
            for _ in 0..90 {
                if backwards {
                    browser.press_with(SHIFT, TAB)
                } else {
                    browser.press(TAB)
                }
                let name =
                    browser.text("document.activeElement.id || document.activeElement.tagName");
                if name != "BODY" && browser.value(seen) != true {
                    hidden.push(name.clone());
                }
                met.insert(name);
            }
            assert!(met.len() > 50, "{width}: {met:?}");
            let bar = "document.querySelector('.top').getBoundingClientRect().bottom";
            let part = browser.value(&format!("scrollTo(0, 9999), {bar} / innerHeight"));
            assert!(part.as_f64() < Some(0.25), "{width}: the bar takes {part} of the window");
            assert_eq!(hidden, Vec::<String>::new(), "{width}, backwards: {backwards}");
        }
    }
}

#[cfg(feature = "tls")]
#[test]
fn one_port_with_tls_is_shown_as_it_is_and_so_is_a_failed_handshake() {
    let sandbox = usual().one_port(true).tls(true).start_blocking().unwrap();
    let Some(browser) = open(&sandbox) else { return };
    for handle in sandbox.handles() {
        let name = handle.provider().name();
        assert_eq!(browser.text(&on_card(name, ".url")), format!("POST {}", handle.token_url()));
        assert!(browser.text(&on_card(name, ".vars")).contains("https://127.0.0.1:"), "{name}");
        assert!(browser.text(&on_card(name, ".vars")).contains("SSL_CERT_FILE"), "{name}");
    }
    let mut socket = TcpStream::connect(("127.0.0.1", sandbox.manis().port())).unwrap();
    socket.write_all(&right(&sandbox.manis()).bytes()).unwrap();
    let _ = socket.read_to_end(&mut Vec::new());
    browser.until(&newest_has(&["TLS -", "no answer", "refused", "handshake"]));
    assert_eq!(browser.text("document.querySelector('#rows .name').textContent"), "");
    assert_eq!(browser.console(), Vec::<String>::new());
}
