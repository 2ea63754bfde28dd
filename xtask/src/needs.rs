//! What the tests need beside Rust, found or installed before anything is built.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::arguments::Arguments;
use crate::{Failure, cassandra, compose, mount, npm, python, run};

/// The browsers that will do, in the order in which they are looked for.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const BROWSER_ON_MAC: &str = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/// Java as Debian calls it: a version that Cassandra runs on.
const JAVA: &str = "openjdk-17-jre-headless";
/// Go as Debian calls it. Whether it is new enough is seen once it is there.
const GO: &str = "golang-go";

/// For one call of the package manager.
const INSTALL_LIMIT: Duration = Duration::from_secs(600);

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// The browser, where one was asked for.
    pub(crate) chromium: Option<PathBuf>,
    /// The Python with boto3, unless it is left out.
    pub(crate) python: Option<PathBuf>,
}

/// What can be left out, and so what the end-to-end tests may find in `TIDEGATE_WITHOUT`.
pub(crate) const NAMES: [&str; 9] =
    ["page", "clients", "issuer", "cql", "boto3", "compose", "curl", "strace", "tmpfs"];

/// Programs that the tests run besides: for the README's session, and for the trace that shows a sync before its answer.
const TOOLS: [&str; 2] = ["curl", "strace"];

/// Finds everything that is not left out, installing what can be; else names all that is missing and how to get it.
pub(crate) fn ensure(root: &Path, arguments: &Arguments) -> Result<Found, Failure> {
    let with_browser = !arguments.leaves_out("page");
    println!(
        "{}",
        run::answer(root, "rustc", &["--version"]).unwrap_or_else(|| "Rust: Cargo's own".to_owned())
    );
    // Without Node there is no point in installing the rest.
    if let Some(complaint) = npm::complaint(root) {
        return Err(complaint.into());
    }
    // The compose file is looked at where no tests are chosen.
    let with_go = arguments.filters.is_empty() && !arguments.leaves_out("compose");
    if with_go && let Some(complaint) = compose::complaint(root)? {
        return Err(complaint.into());
    }
    let asked = env::var_os("CHROMIUM").filter(|path| !path.is_empty()).map(PathBuf::from);
    if let Some(path) = asked.as_ref().filter(|path| with_browser && !path.is_file()) {
        return Err(format!("CHROMIUM names {}, which is not there", path.display()).into());
    }
    let browser = || asked.clone().or_else(find_browser).filter(|_| with_browser);
    // Few tests mount, so where some are chosen, those that do say so themselves.
    if arguments.filters.is_empty() && !arguments.leaves_out("tmpfs") && !mount::is_allowed(root) {
        return Err(mount::ADVICE.into());
    }

    let tools: Vec<&str> = TOOLS.into_iter().filter(|tool| !arguments.leaves_out(tool)).collect();
    let mut missing: Vec<&str> = tools.iter().copied().filter(|tool| find(tool).is_none()).collect();
    if with_browser && browser().is_none() {
        missing.push("chromium");
    }
    let with_cassandra = !arguments.leaves_out("cql") && cassandra::named().is_none();
    let has_java = || cassandra::find_java(root).is_some();
    let has_maven = || !cassandra::needs_maven(root) || find("mvn").is_some();
    if with_cassandra && !has_java() {
        missing.push(JAVA);
    }
    if with_cassandra && !has_maven() {
        missing.push("maven");
    }
    let with_python = !arguments.leaves_out("boto3");
    if with_python && !python::can_be(root) {
        missing.push(python::PACKAGE);
    }
    let has_go = || find("go").is_some();
    let lacks_go = with_go && !has_go();
    if lacks_go {
        missing.push(GO);
    }
    if !missing.is_empty() {
        install(root, &missing)?;
    }
    if lacks_go && let Some(complaint) = compose::complaint(root)? {
        return Err(complaint.into());
    }
    let chromium = browser();
    let no_cassandra = with_cassandra && !(has_java() && has_maven());
    let no_tool = tools.iter().any(|tool| find(tool).is_none()) || (with_go && !has_go());
    if no_tool || (with_browser && chromium.is_none()) || no_cassandra {
        return Err(format!("{} was installed, but is not found on the path", missing.join(" or ")).into());
    }
    println!("{}", tools.join(", "));
    let python = with_python.then(|| python::ensure(root)).transpose()?;
    if let Some(path) = &chromium {
        println!("Chromium: {}", path.display());
    }
    Ok(Found { chromium, python })
}

/// Installs packages where that asks nobody: as root, on a system with apt-get.
fn install(root: &Path, packages: &[&str]) -> Result<(), Failure> {
    let listed = packages.join(" and ");
    let is_root = run::answer(root, "id", &["-u"]).is_some_and(|id| id == "0");
    if find("apt-get").is_none() || !is_root {
        return Err(advice(packages).into());
    }
    println!(
        "{listed}: missing, installed with apt-get now, in at most {} min",
        INSTALL_LIMIT.as_secs() / 60
    );
    let apt = |arguments: &[&str]| {
        let mut command = run::command(root, "apt-get", arguments);
        run::bounded(command.env("DEBIAN_FRONTEND", "noninteractive"), INSTALL_LIMIT)
    };
    let arguments = [&["install", "-y", "-q", "--no-install-recommends"], packages].concat();
    apt(&["update", "-q"])
        .and_then(|()| apt(&arguments))
        .map_err(|failure| format!("{listed} could not be installed: {failure}. {}", advice(packages)).into())
}

fn advice(packages: &[&str]) -> String {
    let mut advice = format!(
        "missing: {}. Install by your system's packages, on Debian: `sudo apt-get install {}`",
        packages.join(", "),
        packages.join(" "),
    );
    if packages.contains(&"chromium") {
        advice += "; or name a Chromium or Chrome with CHROMIUM=/path/to/it";
    }
    if packages.contains(&JAVA) {
        advice += "; or name a CQL server with TIDEGATE_TEST_CQL=HOST:PORT";
    }
    if packages.contains(&python::PACKAGE) {
        advice += "; or name a Python that has boto3 with TIDEGATE_TEST_PYTHON=/path/to/it";
    }
    if packages.contains(&GO) {
        advice += "; or bring a newer Go from go.dev";
    }
    let mut needs: Vec<&str> = packages.iter().map(|package| need(package)).collect();
    needs.dedup();
    let flags: String = needs.iter().map(|need| format!(" --without {need}")).collect();
    advice += &format!("; or leave out what needs it: `cargo xtask test{flags}`");
    advice
}

/// What is left out where a package is not wanted.
fn need(package: &str) -> &str {
    match package {
        "chromium" => "page",
        JAVA | "maven" => "cql",
        python::PACKAGE => "boto3",
        GO => "compose",
        tool => tool,
    }
}

fn find_browser() -> Option<PathBuf> {
    let on_mac = || Some(PathBuf::from(BROWSER_ON_MAC)).filter(|path| path.is_file());
    BROWSERS.into_iter().find_map(find).or_else(on_mac)
}

fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    // Where Debian puts them, should a path be a slim one.
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/bin")]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_what_is_missing_and_every_way_out() {
        assert_eq!(
            advice(&["curl"]),
            "missing: curl. Install by your system's packages, on Debian: `sudo apt-get install curl`; \
             or leave out what needs it: `cargo xtask test --without curl`"
        );
        let both = advice(&["curl", "chromium"]);
        for part in ["apt-get install curl chromium`", "CHROMIUM=", "test --without curl --without page`"] {
            assert!(both.contains(part), "{both}");
        }
        let cql = advice(&[JAVA, "maven"]);
        for part in
            ["apt-get install openjdk-17-jre-headless maven`", "TIDEGATE_TEST_CQL=", "test --without cql`"]
        {
            assert!(cql.contains(part), "{cql}");
        }
        let python = advice(&[python::PACKAGE]);
        for part in ["apt-get install python3-venv`", "TIDEGATE_TEST_PYTHON=", "test --without boto3`"] {
            assert!(python.contains(part), "{python}");
        }
        let compose = advice(&[GO]);
        for part in ["apt-get install golang-go`", "go.dev", "test --without compose`"] {
            assert!(compose.contains(part), "{compose}");
        }
    }
}
