//! Devices that measure: temperature, humidity, battery. Some fall silent for a while; some send late.

use schema::Timestamp;
use serde_json::json;
use store::PublishRequest;

use super::message;
use super::random::Random;

struct Device {
    name: &'static str,
    temperature: f64,
    humidity: f64,
    battery: f64,
    /// Rounds for which it stays silent.
    silent: u64,
    /// What it measured while it had no network.
    kept: Vec<serde_json::Value>,
}

/// All devices.
pub(super) struct Telemetry {
    devices: Vec<Device>,
}

impl Telemetry {
    pub(super) fn new() -> Self {
        let device = |name, temperature, humidity| Device {
            name,
            temperature,
            humidity,
            battery: 100.0,
            silent: 0,
            kept: Vec::new(),
        };
        Self {
            devices: vec![
                device("cellar-1", 12.0, 71.0),
                device("cellar-2", 11.5, 74.0),
                device("greenhouse-1", 24.0, 60.0),
                device("greenhouse-2", 25.0, 58.0),
                device("roof-1", 17.0, 40.0),
            ],
        }
    }

    /// What is measured at `at`: by some of the devices, each by itself.
    pub(super) fn round(&mut self, at: Timestamp, random: &mut Random, into: &mut Vec<PublishRequest>) {
        for device in &mut self.devices {
            if random.one_in(2) {
                continue;
            }
            device.temperature += random.swing() * 0.2;
            device.humidity = (device.humidity + random.swing() * 0.5).clamp(20.0, 95.0);
            device.battery = if device.battery < 5.0 { 100.0 } else { device.battery - 0.01 };
            let data = json!({
                "device": device.name,
                "ts": at.0 / 1_000,
                "temperature": rounded(device.temperature),
                "humidity": rounded(device.humidity),
                "battery": device.battery.floor() as i64,
            });
            if device.silent > 0 {
                device.silent -= 1;
                // Half of what a silent device measures is lost: a gap. The rest comes late.
                if random.one_in(2) {
                    device.kept.push(data);
                }
                continue;
            }
            for late in device.kept.drain(..) {
                message("telemetry", device.name, &late, into);
            }
            message("telemetry", device.name, &data, into);
            if random.one_in(150) {
                device.silent = 20 + random.below(60);
            }
        }
    }
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
