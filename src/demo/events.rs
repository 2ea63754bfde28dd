//! A shop's page events, and the campaigns that led to some of them.

use schema::Timestamp;
use serde_json::json;
use store::PublishRequest;

use super::random::Random;
use super::{message, zoneless};

/// Visitors that are there at one time.
const VISITORS: usize = 12;

struct Visitor {
    cookie_id: String,
    language: &'static str,
    step: usize,
}

/// The traffic of the shop.
pub(super) struct Events {
    visitors: Vec<Visitor>,
}

const STEPS: &[&str] = &[
    "dolphin_cms.wizard.open",
    "dolphin_cms.wizard.step.color_palette.set",
    "dolphin_cms.wizard.step.font.set",
    "dolphin_cms.editor.block.add",
    "dolphin_cms.checkout.paid",
];

impl Events {
    pub(super) fn new() -> Self {
        Self { visitors: Vec::new() }
    }

    /// What happens around `at`: one visitor takes a step.
    pub(super) fn round(&mut self, at: Timestamp, random: &mut Random, into: &mut Vec<PublishRequest>) {
        if self.visitors.len() < VISITORS && (self.visitors.is_empty() || random.one_in(2)) {
            self.visitors.push(Visitor {
                cookie_id: random.uuid(),
                language: random.pick(&["en", "es", "fr", "de"]),
                step: 0,
            });
        }
        let who = random.below(self.visitors.len() as u64) as usize;
        let (request_id, key) = (random.uuid(), self.visitors[who].cookie_id.clone());
        let visitor = &mut self.visitors[who];
        let topic = STEPS[visitor.step];
        let inner = match visitor.step {
            0 => json!({ "language": visitor.language, "isAffiliate": random.one_in(5) }),
            1 => json!({
                "language": visitor.language,
                "color": random.pick(&["#6d8d79", "#1f4e79", "#c94c4c", "#f2ae72"]),
                "paletteIndex": random.below(6).to_string(),
                "isRecommendedPalette": random.one_in(2),
            }),
            2 => json!({ "language": visitor.language, "font": random.pick(&["Lora", "Inter", "Karla"]) }),
            3 => json!({ "block": random.pick(&["gallery", "text", "shop"]), "position": random.below(9) }),
            _ => {
                json!({ "amount": 900 + random.below(9_000), "currency": "EUR", "items": [{ "sku": "site-1y", "count": 1 }] })
            }
        };
        let data = json!({
            "request_id": request_id,
            "request_timestamp": zoneless(at),
            "cookie_id": visitor.cookie_id,
            "topic": topic,
            "message": inner.to_string(),
            "environment": "dolphin_cms",
            "website_id": null,
            "user_account_id": if visitor.step > 1 { json!(visitor.cookie_id) } else { json!(null) },
            "location": "https://shop.example/wizard/",
        });
        message("user-events", &key, &data, into);
        if visitor.step == 0 && random.one_in(2) {
            let campaign = json!({
                "request_id": request_id,
                "source": random.pick(&["adwords", "newsletter", "partner"]),
                "medium": random.pick(&["cpc", "mail"]),
                "campaign": random.pick(&["Spring FR", "Brand", "Retargeting"]),
                "content": null,
                "device": random.pick(&["c", "m"]),
                "ad_id": random.below(9_999_999).to_string(),
            });
            message("user-utm", &key, &campaign, into);
        }
        visitor.step += 1;
        // Many leave on the way, and make room for others.
        if visitor.step == STEPS.len() || random.one_in(6) {
            self.visitors.swap_remove(who);
        }
    }
}
