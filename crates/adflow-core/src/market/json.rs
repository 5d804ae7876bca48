//! The versioned JSON of a market's settings.
//!
//! ```text
//! {"version": 1, "seed": 0, "start": "2024-01-01", "days_per_period": 7, "periods": 104,
//!  "groups": [{"name": "all", "population": 1}], "effect_spread": 0, "level_spread": 0, "group_spend_spread": 0.2,
//!  "channels": [channel, …], "synergy": 0, "baseline": {…}, "noise": {"gaussian": {"share": 0.05}} | {"count": {"dispersion": 0.1}},
//!  "conversion_lag": [1]}
//! channel = {"name": "search", "effect": {"share": 0.05} | {"roas": 2} | {"maximum": 900}, "half_saturation": 1, "slope": 1,
//!            "adstock": {"kind": "geometric", "retention": 0.5, "max_lag": null, "normalize": true},
//!            "spend": {"mean": 1000, "variation": 0.4, "persistence": 0.3, "correlation": 0.3, "seasonal": 0,
//!                      "flighting": null | {"on": 6, "off": 2, "shift": 0}},
//!            "auction": null | {"impressions": 1e6, "median_cpm": 4, "spread": 0.8}, "price_drift": 0, "price_variation": 0,
//!            "learning": null | {"threshold": 0.2, "drop": 0.3, "retention": 0.5}}
//! ```
//!
//! The fields are those of [`MarketSettings`] and the types in it. What has a default may be left out; a channel's name may not,
//! nor any field of a group, a promotion, a control, an auction, flights or learning.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::settings::{
    Auction, Flighting, Learning, MarketBaseline, MarketChannel, MarketControl, MarketGroup, MarketNoise,
    MarketSettings, MediaEffect, Promotion, SpendProcess,
};
use crate::curve::carry_over::{Adstock, Carry};
use crate::curve::column::Column;
use crate::curve::json::{known_keys, malformed, object, parse, version};
use crate::day::Day;
use crate::error::{Error, Result};

const VERSION: u64 = 1;

impl MarketSettings {
    /// The settings as JSON; [`from_json`](Self::from_json) gives back the same bits.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.insert("version".into(), json!(VERSION));
        }
        value.to_string()
    }

    /// Reads what [`to_json`](Self::to_json) wrote, or a document of the same form written by hand.
    ///
    /// # Errors
    /// [`Error::Malformed`] with the path of what is wrong; numbers are checked by [`Market::new`](crate::Market::new).
    pub fn from_json(json: &str) -> Result<Self> {
        let document = parse(json)?;
        let fields = Fields::of(&document, "market")?;
        version(fields.map, "market", VERSION)?;
        fields.known(&[
            "version",
            "seed",
            "start",
            "days_per_period",
            "periods",
            "groups",
            "effect_spread",
            "level_spread",
            "group_spend_spread",
            "channels",
            "synergy",
            "baseline",
            "noise",
            "conversion_lag",
        ])?;
        let default = Self::default();
        let periods = fields.whole("periods", Some(default.periods as u64))?;
        Ok(Self {
            seed: fields.whole("seed", Some(default.seed))?,
            start: if fields.has("start") { fields.day("start")? } else { default.start },
            days_per_period: fields.small("days_per_period", Some(default.days_per_period))?,
            periods: usize::try_from(periods).unwrap_or(usize::MAX),
            groups: fields.list("groups", group)?.unwrap_or(default.groups),
            effect_spread: fields.number("effect_spread", Some(default.effect_spread))?,
            level_spread: fields.number("level_spread", Some(default.level_spread))?,
            group_spend_spread: fields.number("group_spend_spread", Some(default.group_spend_spread))?,
            channels: fields.list("channels", channel)?.unwrap_or_default(),
            synergy: fields.number("synergy", Some(default.synergy))?,
            baseline: fields.object("baseline", baseline)?.unwrap_or(default.baseline),
            noise: fields.object("noise", noise)?.unwrap_or(default.noise),
            conversion_lag: fields.list("conversion_lag", number)?.unwrap_or(default.conversion_lag),
        })
    }
}

/// The fields of an object, and where it stands.
struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

impl<'a> Fields<'a> {
    fn of(value: &'a Value, path: &str) -> Result<Self> {
        Ok(Self { map: object(value, path)?, path: path.into() })
    }

    fn known(&self, keys: &[&str]) -> Result<()> {
        known_keys(self.map, &self.path, keys)
    }

    fn given(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    fn has(&self, name: &str) -> bool {
        self.given(name).is_some()
    }

    fn at(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// A value that reads as it should, or the default where there is none.
    fn read<T>(
        &self,
        name: &str,
        default: Option<T>,
        what: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<T> {
        match (self.given(name), default) {
            (Some(value), _) => {
                read(value).ok_or_else(|| malformed(self.at(name), format!("must be {what}")))
            }
            (None, Some(default)) => Ok(default),
            (None, None) => Err(malformed(self.at(name), "is missing")),
        }
    }

    fn number(&self, name: &str, default: Option<f64>) -> Result<f64> {
        self.read(name, default, "a number", Value::as_f64)
    }

    fn whole(&self, name: &str, default: Option<u64>) -> Result<u64> {
        self.read(name, default, "a whole number from 0 on", Value::as_u64)
    }

    fn small(&self, name: &str, default: Option<u32>) -> Result<u32> {
        let small = |value: &Value| value.as_u64().and_then(|value| u32::try_from(value).ok());
        self.read(name, default, "a whole number from 0 to 4294967295", small)
    }

    fn text(&self, name: &str) -> Result<String> {
        self.read(name, None, "a text", |value| value.as_str().map(Into::into))
    }

    fn day(&self, name: &str) -> Result<Day> {
        self.read(name, None, "a day like 2026-11-23", |value| Day::parse(value.as_str()?).ok())
    }

    fn object<T>(&self, name: &str, read: impl Fn(&Fields<'a>) -> Result<T>) -> Result<Option<T>> {
        self.given(name).map(|value| read(&Fields::of(value, &self.at(name))?)).transpose()
    }

    fn list<T>(&self, name: &str, read: impl Fn(&'a Value, &str) -> Result<T>) -> Result<Option<Vec<T>>> {
        let Some(value) = self.given(name) else { return Ok(None) };
        let items = value.as_array().ok_or_else(|| malformed(self.at(name), "must be a list"))?;
        let item = |(at, item)| read(item, &format!("{}[{at}]", self.at(name)));
        items.iter().enumerate().map(item).collect::<Result<_>>().map(Some)
    }
}

fn number(value: &Value, path: &str) -> Result<f64> {
    value.as_f64().ok_or_else(|| malformed(path, "must be a number"))
}

fn group(value: &Value, path: &str) -> Result<MarketGroup> {
    let fields = Fields::of(value, path)?;
    fields.known(&["name", "population"])?;
    Ok(MarketGroup { name: fields.text("name")?, population: fields.number("population", None)? })
}

fn channel(value: &Value, path: &str) -> Result<MarketChannel> {
    let fields = Fields::of(value, path)?;
    fields.known(&[
        "name",
        "effect",
        "half_saturation",
        "slope",
        "adstock",
        "spend",
        "auction",
        "price_drift",
        "price_variation",
        "learning",
    ])?;
    let default = MarketChannel::new("", 0.0);
    Ok(MarketChannel {
        name: fields.text("name")?,
        effect: fields.object("effect", effect)?.unwrap_or(default.effect),
        half_saturation: fields.number("half_saturation", Some(default.half_saturation))?,
        slope: fields.number("slope", Some(default.slope))?,
        adstock: fields.object("adstock", read_adstock)?.unwrap_or(default.adstock),
        spend: fields.object("spend", spend)?.unwrap_or_default(),
        auction: fields.object("auction", |fields| {
            fields.known(&["impressions", "median_cpm", "spread"])?;
            Ok(Auction {
                impressions: fields.number("impressions", None)?,
                median_cpm: fields.number("median_cpm", None)?,
                spread: fields.number("spread", None)?,
            })
        })?,
        price_drift: fields.number("price_drift", Some(default.price_drift))?,
        price_variation: fields.number("price_variation", Some(default.price_variation))?,
        learning: fields.object("learning", |fields| {
            fields.known(&["threshold", "drop", "retention"])?;
            Ok(Learning {
                threshold: fields.number("threshold", None)?,
                drop: fields.number("drop", None)?,
                retention: fields.number("retention", None)?,
            })
        })?,
    })
}

/// The only key of an object, and its value.
fn one<'a>(fields: &Fields<'a>, names: &[&str]) -> Result<(&'a str, &'a Value)> {
    let mut entries = fields.map.iter();
    match (entries.next(), entries.next()) {
        (Some((name, value)), None) if names.contains(&name.as_str()) => Ok((name, value)),
        _ => Err(malformed(&fields.path, format!("must have one key of {}", names.join(", ")))),
    }
}

fn effect(fields: &Fields<'_>) -> Result<MediaEffect> {
    let (name, value) = one(fields, &["share", "roas", "maximum"])?;
    let value = number(value, &fields.at(name))?;
    Ok(match name {
        "share" => MediaEffect::Share(value),
        "roas" => MediaEffect::Roas(value),
        _ => MediaEffect::Maximum(value),
    })
}

fn noise(fields: &Fields<'_>) -> Result<MarketNoise> {
    let (name, value) = one(fields, &["gaussian", "count"])?;
    let own = Fields::of(value, &fields.at(name))?;
    if name == "gaussian" {
        own.known(&["share"])?;
        Ok(MarketNoise::Gaussian { share: own.number("share", None)? })
    } else {
        own.known(&["dispersion"])?;
        Ok(MarketNoise::Count { dispersion: own.number("dispersion", None)? })
    }
}

fn spend(fields: &Fields<'_>) -> Result<SpendProcess> {
    fields.known(&["mean", "variation", "persistence", "correlation", "seasonal", "flighting"])?;
    let default = SpendProcess::default();
    Ok(SpendProcess {
        mean: fields.number("mean", Some(default.mean))?,
        variation: fields.number("variation", Some(default.variation))?,
        persistence: fields.number("persistence", Some(default.persistence))?,
        correlation: fields.number("correlation", Some(default.correlation))?,
        seasonal: fields.number("seasonal", Some(default.seasonal))?,
        flighting: fields.object("flighting", |fields| {
            fields.known(&["on", "off", "shift"])?;
            let part = |name: &str| fields.small(name, None);
            Ok(Flighting { on: part("on")?, off: part("off")?, shift: part("shift")? })
        })?,
    })
}

fn baseline(fields: &Fields<'_>) -> Result<MarketBaseline> {
    fields.known(&[
        "level",
        "trend",
        "yearly",
        "half_yearly",
        "peak",
        "weekday",
        "promotions",
        "controls",
    ])?;
    let default = MarketBaseline::default();
    let weekday = match fields.list("weekday", number)? {
        None => default.weekday,
        Some(days) => {
            let actual = days.len();
            let field = fields.at("weekday");
            days.try_into().map_err(|_| Error::LengthMismatch { field, expected: 7, actual })?
        }
    };
    Ok(MarketBaseline {
        level: fields.number("level", Some(default.level))?,
        trend: fields.number("trend", Some(default.trend))?,
        yearly: fields.number("yearly", Some(default.yearly))?,
        half_yearly: fields.number("half_yearly", Some(default.half_yearly))?,
        peak: fields.number("peak", Some(default.peak))?,
        weekday,
        promotions: fields.list("promotions", promotion)?.unwrap_or_default(),
        controls: fields.list("controls", control)?.unwrap_or_default(),
    })
}

fn promotion(value: &Value, path: &str) -> Result<Promotion> {
    let fields = Fields::of(value, path)?;
    fields.known(&["name", "first", "days", "every", "lift"])?;
    Ok(Promotion {
        name: fields.text("name")?,
        first: fields.day("first")?,
        days: fields.small("days", None)?,
        every: if fields.has("every") { Some(fields.small("every", None)?) } else { None },
        lift: fields.number("lift", None)?,
    })
}

fn control(value: &Value, path: &str) -> Result<MarketControl> {
    let fields = Fields::of(value, path)?;
    fields.known(&["name", "effect", "persistence"])?;
    Ok(MarketControl {
        name: fields.text("name")?,
        effect: fields.number("effect", None)?,
        persistence: fields.number("persistence", None)?,
    })
}

/// One arm's adstock, in the words of a schedule's JSON.
fn read_adstock(fields: &Fields<'_>) -> Result<Adstock> {
    let kind = fields.text("kind")?;
    let own: &[&str] = match kind.as_str() {
        "none" => &[],
        "geometric" | "binomial" => &["retention", "max_lag"],
        "delayed" => &["retention", "peak", "max_lag"],
        "weibull_cdf" | "weibull_pdf" => &["shape", "scale", "max_lag"],
        "kernel" => &["weights"],
        other => return Err(malformed(fields.at("kind"), format!("no kind is called {other:?}"))),
    };
    fields.known(&[own, &["kind", "normalize"][..]].concat())?;
    let column = |name: &str| fields.number(name, None).map(Column::Same);
    let family = match kind.as_str() {
        "none" => return Ok(Adstock::none()),
        "geometric" => Carry::Geometric { retention: column("retention")? },
        "binomial" => Carry::Binomial { retention: column("retention")? },
        "delayed" => Carry::Delayed { retention: column("retention")?, peak: column("peak")? },
        "weibull_cdf" => Carry::WeibullCdf { shape: column("shape")?, scale: column("scale")? },
        "weibull_pdf" => Carry::WeibullPdf { shape: column("shape")?, scale: column("scale")? },
        _ => {
            let weights = fields.list("weights", number)?;
            let weights = weights.ok_or_else(|| malformed(fields.at("weights"), "is missing"))?;
            return Ok(Adstock::kernel([weights]));
        }
    };
    let max_lag = if fields.has("max_lag") || kind != "geometric" {
        Some(fields.small("max_lag", None)? as usize)
    } else {
        None
    };
    let normalize = fields.read("normalize", Some(true), "true or false", Value::as_bool)?;
    Ok(Adstock { family, max_lag, normalize })
}

/// The adstock of a channel as JSON.
pub(super) fn adstock<S: Serializer>(
    adstock: &Adstock,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    let mut fields = Map::new();
    let mut say = |kind: &str, columns: &[(&str, &Column)]| {
        fields.insert("kind".into(), json!(kind));
        for (name, column) in columns {
            // A channel has one of each; more is written as it is, and refused like everywhere.
            let value = match column {
                Column::Same(value) => json!(value),
                Column::Each(values) if values.len() == 1 => json!(values[0]),
                Column::Each(values) => json!(values),
            };
            fields.insert((*name).into(), value);
        }
    };
    match &adstock.family {
        Carry::None => say("none", &[]),
        Carry::Geometric { retention } => say("geometric", &[("retention", retention)]),
        Carry::Binomial { retention } => say("binomial", &[("retention", retention)]),
        Carry::Delayed { retention, peak } => say("delayed", &[("retention", retention), ("peak", peak)]),
        Carry::WeibullCdf { shape, scale } => say("weibull_cdf", &[("shape", shape), ("scale", scale)]),
        Carry::WeibullPdf { shape, scale } => say("weibull_pdf", &[("shape", shape), ("scale", scale)]),
        Carry::Kernel(rows) => {
            say("kernel", &[]);
            fields.insert("weights".into(), json!(rows.first()));
        }
    }
    if let (Some(lag), false) = (adstock.max_lag, matches!(adstock.family, Carry::None | Carry::Kernel(_))) {
        fields.insert("max_lag".into(), json!(lag));
    }
    fields.insert("normalize".into(), json!(adstock.normalize));
    Value::Object(fields).serialize(serializer)
}
