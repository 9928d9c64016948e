//! The command `provider-auth`: tokens at the terminal, for curl, and for programs in any language.
//!
//! No flag takes a secret, no token goes to a terminal unasked, and nothing secret stands in an
//! argument, a log line or an error. The file store is the cache, so parallel calls are one exchange.

mod args;
mod cache;
mod creds;
mod envfile;
mod guard;
mod help;
#[cfg(feature = "keyring")]
mod keys;
mod out;
mod past;
mod provider;
mod run;
mod settings;
mod source;
mod stop;
mod text;
mod when;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let lang = settings::language(&words);
    let (out, done) = match args::parse(&words, lang) {
        Ok(args) => {
            let out = out::Out::new(lang, &args.global);
            let done = run::run(args, &out);
            (out, done)
        }
        Err(stop) => (out::Out::plain(lang, &words), Err(stop)),
    };
    ExitCode::from(match done.and_then(|code| out.flushed().map(|()| code)) {
        Ok(code) => code,
        Err(stop) => out.stop(&stop),
    })
}
