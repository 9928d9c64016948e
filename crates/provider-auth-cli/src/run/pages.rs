//! `completions`, `man` and `version`: what describes the command itself.

use std::io;
use std::path::Path;

use clap_complete::Shell;
use serde_json::json;

use super::Call;
use crate::help;
use crate::out::printable;
use crate::stop::Stop;
use crate::text::Text;

pub(crate) fn completions(call: Call<'_>, shell: Shell) -> Result<u8, Stop> {
    let mut page = Vec::new();
    clap_complete::generate(shell, &mut help::command(call.out.lang), "provider-auth", &mut page);
    call.out.data(&page)?;
    Ok(0)
}

pub(crate) fn man(call: Call<'_>, dir: Option<&Path>) -> Result<u8, Stop> {
    let command = help::command(call.out.lang);
    let Some(dir) = dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        call.out.data(&page)?;
        return Ok(0);
    };
    let written =
        std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(command, dir));
    written.map_err(|error: io::Error| {
        let values = [printable(&dir.to_string_lossy()), printable(&error.to_string())];
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        Stop::config(Text::CannotWrite, Text::CannotWriteDo, &values)
    })?;
    Ok(0)
}

pub(crate) fn version(call: Call<'_>) -> Result<u8, Stop> {
    let version = env!("CARGO_PKG_VERSION");
    if call.out.json {
        let keyring = cfg!(feature = "keyring");
        call.out.json(&json!({"version": 1, "provider_auth": version, "keyring": keyring}))?;
    } else {
        call.out.lines(&format!("provider-auth {version}\n"))?;
    }
    Ok(0)
}
