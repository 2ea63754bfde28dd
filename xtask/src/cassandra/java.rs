//! Java: which one will do, and how it is told to run Cassandra.

use std::path::{Path, PathBuf};
use std::{env, fs};

use super::Answers;
use crate::{Failure, run};

/// The versions that Cassandra runs on.
const MAJORS: [u32; 2] = [17, 11];

/// Where systems put those that are not on the path.
const FOLDERS: [&str; 2] = ["/usr/lib/jvm", "/Library/Java/JavaVirtualMachines"];

/// What of Java's own Cassandra reaches into.
const EXPORTS: [&str; 12] = [
    "java.base/jdk.internal.misc",
    "java.base/jdk.internal.ref",
    "java.base/java.lang.ref",
    "java.base/sun.nio.ch",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.rmi/sun.rmi.transport.tcp",
    "java.sql/java.sql",
    "jdk.attach/sun.tools.attach",
    "jdk.compiler/com.sun.tools.javac.file",
    "jdk.unsupported/sun.misc",
];
const OPENS: [&str; 16] = [
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.module",
    "java.base/java.lang.reflect",
    "java.base/java.math",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/sun.nio.ch",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.module",
];

/// Little memory, and the quick compiler only: a run is short.
const FIXED: [&str; 19] = [
    "-Xms256M",
    "-Xmx1G",
    "-XX:MaxDirectMemorySize=512M",
    "-Xss256k",
    "-XX:+UseG1GC",
    "-XX:-UsePerfData",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.net.preferIPv4Stack=true",
    "-Djdk.attach.allowAttachSelf=true",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Djna.nosys=true",
    "-Dfile.encoding=UTF-8",
    "-Dcassandra-foreground=yes",
    // Nothing of a run outlives it.
    "-Dcassandra.skip_sync=true",
    "-Dcassandra.ring_delay_ms=0",
    "-Dcassandra.skip_wait_for_gossip_to_settle=0",
    "-Dcassandra.superuser_setup_delay_ms=0",
    // Its password is in this source: a hash that is dear to try would only make each login dear.
    "-Dcassandra.auth_bcrypt_gensalt_log2_rounds=4",
];

/// A Java that will do: by JAVA_HOME, on the path, or where systems put it.
pub(crate) fn find(root: &Path) -> Option<PathBuf> {
    let home = env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java"));
    let installed = FOLDERS.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let installed = installed
        .flat_map(|entry| [entry.path().join("bin/java"), entry.path().join("Contents/Home/bin/java")]);
    let candidates = home.into_iter().chain([PathBuf::from("java")]).chain(installed);
    candidates.into_iter().find(|java| {
        let version = run::answer(root, &java.to_string_lossy(), &["--version"]);
        version.as_deref().and_then(major).is_some_and(|major| MAJORS.contains(&major))
    })
}

/// The version in the first line of `java --version`.
fn major(text: &str) -> Option<u32> {
    text.split_whitespace().nth(1)?.split(['.', '-', '+']).next()?.parse().ok()
}

/// What Java is given, to run the node whose configuration is in `folder`.
pub(super) fn arguments(jars: &Path, folder: &Path, answers: Answers) -> Result<Vec<String>, Failure> {
    let jamm = fs::read_dir(jars)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("jamm-")));
    let jamm = jamm.ok_or_else(|| {
        format!("{} has no jamm-*.jar: remove the folder, to fetch it anew", jars.display())
    })?;
    let mut arguments: Vec<String> = FIXED.iter().map(|word| (*word).to_owned()).collect();
    if answers == Answers::AtOnce {
        // Each change of a table would write and sync many files, for a node that is to find its tables after it was killed.
        arguments.push("-Dcassandra.test.flush_local_schema_changes=false".to_owned());
    }
    let folder = folder.display();
    arguments.push(format!("-javaagent:{}", jamm.display()));
    arguments.push(format!("-Dcassandra.config=file://{folder}/cassandra.yaml"));
    arguments.push(format!("-Dcassandra.storagedir={folder}"));
    arguments.push(format!("-Dcassandra.logdir={folder}"));
    arguments.push(format!("-Dlogback.configurationFile={folder}/logback.xml"));
    for (option, modules) in [("--add-exports", &EXPORTS[..]), ("--add-opens", &OPENS)] {
        arguments
            .extend(modules.iter().flat_map(|module| [option.to_owned(), format!("{module}=ALL-UNNAMED")]));
    }
    arguments.extend(["--add-opens".to_owned(), "java.base/jdk.internal.util.jar=ALL-UNNAMED".to_owned()]);
    arguments.extend([
        "--add-opens".to_owned(),
        "jdk.management/com.sun.management.internal=ALL-UNNAMED".to_owned(),
    ]);
    arguments.extend(["-cp".to_owned(), format!("{}/*", jars.display())]);
    arguments.push("org.apache.cassandra.service.CassandraDaemon".to_owned());
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        for (text, expect) in [
            ("openjdk 17.0.15 2025-04-15", Some(17)),
            ("java 21 2023-09-19 LTS", Some(21)),
            ("openjdk 11.0.2 2019-01-15", Some(11)),
            ("openjdk 25-ea 2025-09-16", Some(25)),
            ("", None),
        ] {
            assert_eq!(major(text), expect, "{text}");
        }
    }
}
