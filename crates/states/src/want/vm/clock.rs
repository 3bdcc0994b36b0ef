//! `clock`: what the guest's clock shows.

use super::{only, row, yes_no_row};
use crate::StateError;
use crate::args::Field;
use crate::facts::{Compare, Fact};
use domxml::Place;

pub(super) fn facts(clock: &Field) -> Result<Vec<Fact>, StateError> {
    let dict = clock.dict(&["utc", "timezone", "adjustment", "timers"])?;
    let root = || Place::at("clock");
    let timezone = dict.get("timezone").map(|f| zone(&f)).transpose()?;
    let utc = dict.get("utc").map_or(Ok(true), |f| f.bool())?;
    let offset = match (&timezone, utc) {
        (Some(_), _) => "timezone",
        (None, true) => "utc",
        (None, false) => "localtime",
    };
    let mut facts = Vec::new();
    // A value that contradicts the offset would make libvirt refuse the whole definition.
    if timezone.is_some() {
        facts.push(Fact::Absent(root().attr("adjustment")));
    } else {
        facts.push(Fact::Absent(root().attr("timezone")));
    }
    facts.push(Fact::comparing(
        root().attr("offset"),
        offset,
        Compare::ClockOffset,
    ));
    if let Some(timezone) = timezone {
        if let Some(adjustment) = dict.get("adjustment") {
            let remedy = "Give one of timezone and adjustment".to_owned();
            return Err(adjustment.refuse("possible together with timezone", Some(remedy)));
        }
        facts.push(Fact::text(root().attr("timezone"), timezone));
    }
    facts.extend(row(&dict, "adjustment", root().attr("adjustment"), |f| {
        let text = f.text()?;
        match text == "reset" || text.parse::<i64>().is_ok() {
            true => Ok(text),
            false => Err(f.refuse("a number of seconds or reset", None)),
        }
    })?);
    if let Some(timers) = dict.get("timers") {
        facts.extend(timer_facts(&timers)?);
    }
    Ok(facts)
}

/// A name such as `Europe/Paris`.
fn zone(field: &Field) -> Result<String, StateError> {
    let text = field.word()?;
    match text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_.+-/".contains(c))
    {
        true => Ok(text),
        false => Err(field.refuse("the name of a time zone such as Europe/Paris", None)),
    }
}

/// Source: libvirt formatdomain, "Time keeping".
const TIMERS: &[&str] = &[
    "platform",
    "hpet",
    "kvmclock",
    "pit",
    "rtc",
    "tsc",
    "hypervclock",
    "armvtimer",
];

fn timer_facts(timers: &Field) -> Result<Vec<Fact>, StateError> {
    const KEYS: &[&str] = &[
        "track",
        "tickpolicy",
        "frequency",
        "mode",
        "present",
        "slew",
        "threshold",
        "limit",
    ];
    let timers = timers.dict(TIMERS)?;
    let mut facts = Vec::new();
    for (name, timer) in timers.entries() {
        let timer = timer.dict(KEYS)?;
        let place = || Place::at("clock").keyed("timer", "name", name);
        let words: [(&'static str, &[&str]); 3] = [
            ("track", &["boot", "guest", "wall", "realtime"]),
            ("tickpolicy", &["delay", "catchup", "merge", "discard"]),
            (
                "mode",
                &["auto", "native", "emulate", "paravirt", "smpsafe"],
            ),
        ];
        for (key, allowed) in words {
            facts.extend(row(&timer, key, place().attr(key), |f| f.one_of(allowed))?);
        }
        facts.extend(row(&timer, "frequency", place().attr("frequency"), |f| {
            Ok(f.count()?.to_string())
        })?);
        facts.extend(row(&timer, "present", place().attr("present"), yes_no_row)?);
        for key in ["slew", "threshold", "limit"] {
            let place = place().child("catchup").attr(key);
            facts.extend(row(&timer, key, place, |f| Ok(f.count()?.to_string()))?);
        }
    }
    facts.push(only(
        Place::at("clock"),
        "timer",
        "name",
        super::cpu::keys(&timers),
    ));
    Ok(facts)
}
