//! Measurements beside named baselines: `README.md` says what each tells, and how to run it.
