//! How many copies of each row there are, and whether as many can answer as must.

use store::scylla::{Agreement, Cluster, Keyspace, Nodes};

use super::super::Report;
use crate::config::StoreSettings;

/// Where agreement is sought: copies there, and nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reach {
    copies: usize,
    nodes: Nodes,
    /// As a sentence names it.
    place: String,
}

/// What the copies are, and whether they can agree.
pub(super) fn tell(settings: &StoreSettings, cluster: &Cluster, keyspace: &Keyspace, report: &mut Report) {
    let reach = reach(settings, cluster, keyspace);
    let Reach { copies, nodes, place } = &reach;
    copies_of(settings, *copies, place, report);
    if *copies == 0 {
        return;
    }
    let needed = copies / 2 + 1;
    let rule =
        format!("{needed} of {copies} copies must answer, and {} of {} nodes are up", nodes.up, nodes.all);
    // In the worst case every node that is down has a copy of the same row.
    let certain = (*copies).min(nodes.all).saturating_sub(nodes.all - nodes.up);
    if certain >= needed {
        report.fine("quorum", &rule);
    } else if *copies > nodes.all && nodes.up == nodes.all {
        report.problem(
            "quorum",
            &format!("{rule}, which are fewer than the copies"),
            "Nothing can be written or read: the copies that have no node count as down.",
            "Add nodes, or lower the keyspace's replication to their number.",
        );
    } else {
        report.problem(
            "quorum",
            &rule,
            "Rows whose copies are on nodes that are down can't be written or read: messages wait in the log, queries fail.",
            "Start the nodes that are down: `nodetool status` names them.",
        );
    }
}

fn copies_of(settings: &StoreSettings, copies: usize, place: &str, report: &mut Report) {
    let wanted = settings.replication_factor as usize;
    let text = format!("{copies} of each row {place}");
    if copies < wanted {
        return report.problem(
            "copies",
            &format!("{text}, and store.replication_factor is {wanted}"),
            match copies {
                0 => "Nothing is kept there, so nothing can be written or read.",
                1 => {
                    "While a node is down its rows can't be read or written, and what its disk loses is lost."
                }
                _ => "Fewer nodes may be down than was meant.",
            },
            "`ALTER KEYSPACE … WITH replication` in cqlsh, then `nodetool repair -full` on each node; or set \
             store.replication_factor to what is meant.",
        );
    }
    report.fine(
        "copies",
        &match copies {
            1 => format!("{text}, as was meant: while a node is down its rows can't be read, and what its disk loses is lost"),
            _ => text,
        },
    );
}

fn reach(settings: &StoreSettings, cluster: &Cluster, keyspace: &Keyspace) -> Reach {
    let everywhere = keyspace.copies.get("").copied();
    let only = match cluster.datacenters.len() {
        1 => cluster.datacenters.keys().next(),
        _ => None,
    };
    let named = (!settings.datacenter.is_empty()).then_some(&settings.datacenter).or(only);
    match named.filter(|_| settings.consistency == Agreement::LocalQuorum) {
        Some(name) => Reach {
            copies: keyspace.copies.get(name).copied().or(everywhere).unwrap_or_default(),
            nodes: cluster.datacenters.get(name).copied().unwrap_or_default(),
            place: format!("in {name}"),
        },
        None => Reach {
            copies: everywhere.unwrap_or_else(|| keyspace.copies.values().sum()),
            nodes: cluster.datacenters.values().fold(Nodes::default(), |sum, nodes| Nodes {
                all: sum.all + nodes.all,
                up: sum.up + nodes.up,
            }),
            place: "in all datacenters".into(),
        },
    }
}
