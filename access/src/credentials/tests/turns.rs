//! Two nodes that change the same keys and denials in random turns, and what they know of it afterwards.

use std::collections::BTreeMap;

use store::testing::{Turns, seeds};

use super::*;

/// What should be: each key's text by its name, and its text before; and who is denied.
#[derive(Default)]
struct Model {
    keys: BTreeMap<String, (Secret, Option<Secret>)>,
    gone: Vec<Secret>,
    denied: BTreeMap<String, String>,
}

async fn take(node: &Credentials, turns: &mut Turns, model: &mut Model) {
    let name = format!("k{}", turns.below(3));
    let subject = format!("s{}", turns.below(3));
    match turns.below(5) {
        0 => {
            let made = node.create_key(new_key(&name), &root()).await;
            assert_eq!(made.is_ok(), !model.keys.contains_key(&name));
            if let Ok((_, secret)) = made {
                model.keys.insert(name, (secret, None));
            }
        }
        1 => {
            let goes_on = turns.one_in(2);
            let rotated = node.rotate_key(&name, if goes_on { SECOND } else { 0 }, &root()).await;
            assert_eq!(rotated.is_ok(), model.keys.contains_key(&name));
            if let (Ok((_, secret)), Some((newest, old))) = (rotated, model.keys.get_mut(&name)) {
                let before = std::mem::replace(newest, secret);
                model.gone.extend(old.take());
                if goes_on { *old = Some(before) } else { model.gone.push(before) }
            }
        }
        2 => {
            let revoked = node.revoke_key(&name, &root()).await;
            assert_eq!(revoked.is_ok(), model.keys.contains_key(&name));
            model.gone.extend(
                model.keys.remove(&name).into_iter().flat_map(|(new, old)| [Some(new), old]).flatten(),
            );
        }
        3 => {
            let target = DenialTarget::Subject { issuer: "corp".into(), subject: subject.clone() };
            let denial = node.deny(target, "", None, &root()).await.unwrap();
            model.denied.insert(subject, denial.id);
        }
        _ => {
            if let Some(id) = model.denied.remove(&subject) {
                node.undeny(&id, &root()).await.unwrap();
            }
        }
    }
}

fn check(node: &Credentials, model: &Model, seed: u64) {
    let names: Vec<String> = node.keys().into_iter().map(|key| key.name).collect();
    assert!(names.iter().eq(model.keys.keys()), "seed {seed}: {names:?}");
    for (name, (new, old)) in &model.keys {
        assert!(lets_in(node, new) && old.iter().all(|old| lets_in(node, old)), "seed {seed}: {name}");
    }
    assert!(!model.gone.iter().any(|gone| lets_in(node, gone)), "seed {seed}: a key that is gone lets in");
    for number in 0..3 {
        let subject = format!("s{number}");
        let is_denied = node.denies(&guest(&subject, "1"));
        assert_eq!(is_denied, model.denied.contains_key(&subject), "seed {seed}: {subject}");
    }
}

#[tokio::test]
async fn nodes_agree_after_any_turns() {
    for seed in seeds(10) {
        let (world, mut turns, mut model) = (World::new(), Turns(seed), Model::default());
        let nodes = [world.node().await, world.node().await];
        for _ in 0..60 {
            let at = turns.below(2) as usize;
            take(&nodes[at], &mut turns, &mut model).await;
            check(&nodes[at], &model, seed);
            nodes[1 - at].refresh().await.unwrap();
            check(&nodes[1 - at], &model, seed);
        }
        check(&world.node().await, &model, seed);
    }
}
