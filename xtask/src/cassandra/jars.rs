//! Cassandra's own artifacts and all that they need, by Maven, fetched once.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Failure, run};

/// The version that is tested on.
pub(super) const VERSION: &str = "5.0.9";
const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
const FETCH_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Whether they were fetched.
pub(super) fn are_there(target: &Path) -> bool {
    complete(target).is_file()
}

/// The folder with the artifacts, after fetching them where they are not there.
pub(super) fn ensure(root: &Path, target: &Path) -> Result<PathBuf, Failure> {
    let jars = home(target).join("lib");
    if are_there(target) {
        return Ok(jars);
    }
    println!("Cassandra {VERSION} is fetched first: about 80 MB");
    fs::create_dir_all(home(target))?;
    let project = home(target).join("pom.xml");
    fs::write(&project, pom())?;
    let (project, output) = (project.to_string_lossy(), format!("-DoutputDirectory={}", jars.display()));
    let words = ["-q", "-B", "-ntp", "-f", &project, PLUGIN, &output, "-DincludeScope=runtime"];
    run::bounded(&mut run::command(root, "mvn", &words), FETCH_LIMIT)?;
    fs::write(complete(target), "")?;
    Ok(jars)
}

fn home(target: &Path) -> PathBuf {
    target.join("tools").join(format!("cassandra-{VERSION}"))
}

/// Written last, so that what was cut short is fetched again.
fn complete(target: &Path) -> PathBuf {
    home(target).join(format!(".complete-{VERSION}"))
}

fn pom() -> String {
    format!(
        r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tidegate</groupId><artifactId>cassandra</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.cassandra</groupId><artifactId>cassandra-all</artifactId><version>{VERSION}</version></dependency>
  </dependencies>
</project>
"#
    )
}
