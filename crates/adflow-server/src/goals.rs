//! Arguments for what a plan must reach, and for limits that no column of a table tells.

use adflow_core::{Group, Objective, Problem, Target};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::table::Campaigns;

const REACH: &str = "What to reach";
const LIMITS: &str = "Limits";
const GROUPS: &str = "Limits on groups (column `group`)";

/// What the arguments ask of a plan beside its budget.
#[derive(Debug, Clone, Default, Args)]
pub struct Goals {
    /// What is maximised: the value of the response (the default), the same less the spend, or the least spend.
    #[arg(long, value_name = "response|profit|spend", help_heading = REACH, value_parser = objective(), hide_possible_values = true)]
    objective: Option<Objective>,
    /// The response, times its value, must be at least this.
    #[arg(long, value_name = "RESPONSE", help_heading = REACH, group = "target", allow_negative_numbers = true)]
    target_response: Option<f64>,
    /// The value of the response per money spent must be at least this: 3 for three to one.
    #[arg(long, value_name = "RATE", help_heading = REACH, group = "target", allow_negative_numbers = true)]
    target_roas: Option<f64>,
    /// The money spent per response, whatever a response is worth, must be at most this.
    #[arg(long, value_name = "MONEY", help_heading = REACH, group = "target", allow_negative_numbers = true)]
    target_cpa: Option<f64>,
    /// Every campaign spends its lower bound, or so much that its next unit of money still returns this.
    #[arg(long, value_name = "RATE", help_heading = REACH, group = "target", allow_negative_numbers = true)]
    target_marginal_roas: Option<f64>,
    /// Most that each spend may move from `current`, as a share of it: 0.2 for ±20 %.
    #[arg(long, value_name = "SHARE", help_heading = LIMITS, allow_negative_numbers = true)]
    max_change: Option<f64>,
    /// Most campaigns whose spend may differ from `current`.
    #[arg(long, value_name = "COUNT", help_heading = LIMITS)]
    max_moves: Option<usize>,
    /// Most campaigns that may spend anything.
    #[arg(long, value_name = "COUNT", help_heading = LIMITS)]
    max_active: Option<usize>,
    /// Every spend is a whole multiple of this.
    #[arg(long, value_name = "MONEY", help_heading = LIMITS, allow_negative_numbers = true)]
    step: Option<f64>,
    /// Most that a group spends; once for each group.
    #[arg(long, value_name = "GROUP=MONEY", help_heading = GROUPS, value_parser = named)]
    group_upper: Vec<(String, f64)>,
    /// Least that a group spends.
    #[arg(long, value_name = "GROUP=MONEY", help_heading = GROUPS, value_parser = named)]
    group_lower: Vec<(String, f64)>,
    /// Largest share of all that is spent: `video=0.4` for 40 %.
    #[arg(long, value_name = "GROUP=SHARE", help_heading = GROUPS, value_parser = named)]
    group_share_upper: Vec<(String, f64)>,
    /// Least share of all that is spent.
    #[arg(long, value_name = "GROUP=SHARE", help_heading = GROUPS, value_parser = named)]
    group_share_lower: Vec<(String, f64)>,
}

fn objective() -> impl TypedValueParser<Value = Objective> {
    PossibleValuesParser::new(["response", "profit", "spend"])
        .try_map(|name| Objective::from_name(&name).ok_or("is no objective"))
}

/// `video=4000`; what stands before the last `=` is the name.
fn named(argument: &str) -> Result<(String, f64), String> {
    let wrong = || format!("must be a group and a number like video=4000, got `{argument}`");
    let (name, number) = argument.rsplit_once('=').ok_or_else(wrong)?;
    let number = number.trim().parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(wrong)?;
    match name.trim() {
        "" => Err(wrong()),
        name => Ok((name.into(), number)),
    }
}

impl Goals {
    /// What is maximised, where the arguments say.
    #[must_use]
    pub fn objective(&self) -> Option<Objective> {
        self.objective
    }

    /// The target, where there is one.
    #[must_use]
    pub fn target(&self) -> Option<Target> {
        let response = self.target_response.map(Target::Response);
        let roas = || self.target_roas.map(Target::Roas);
        let cpa = || self.target_cpa.map(Target::Cpa);
        response.or_else(roas).or_else(cpa).or_else(|| self.target_marginal_roas.map(Target::MarginalRoas))
    }

    /// What every spend is a multiple of, where the arguments say.
    #[must_use]
    pub fn step(&self) -> Option<f64> {
        self.step.filter(|&step| step > 0.0)
    }

    /// The arguments take the place of what the problem says.
    #[must_use]
    pub fn apply(&self, mut problem: Problem) -> Problem {
        if let Some(objective) = self.objective {
            problem = problem.objective(objective);
        }
        if let Some(target) = self.target() {
            problem = problem.target(target);
        }
        if let Some(share) = self.max_change {
            problem = problem.max_change(share);
        }
        if let Some(arms) = self.max_moves {
            problem = problem.max_moves(arms);
        }
        if let Some(arms) = self.max_active {
            problem = problem.max_active(arms);
        }
        if let Some(step) = self.step {
            problem = problem.step(step);
        }
        problem
    }

    /// [`apply`](Self::apply), and the groups of a table.
    ///
    /// # Errors
    /// In words, where an argument needs a column that the table lacks, or names a group that is not in it.
    pub fn apply_to(&self, campaigns: &Campaigns, problem: Problem) -> Result<Problem, String> {
        let moves = [("--max-change", self.max_change.is_some()), ("--max-moves", self.max_moves.is_some())];
        if let Some((flag, _)) = moves.iter().find(|(_, given)| *given && !campaigns.has_current()) {
            return Err(format!("{flag} needs the spends of today: a column `current`"));
        }
        let groups = self.groups(campaigns)?;
        let problem = self.apply(problem);
        Ok(if groups.is_empty() { problem } else { problem.groups(groups) })
    }

    /// The name of an argument on groups that was given, if any.
    #[must_use]
    pub fn group_argument(&self) -> Option<&'static str> {
        self.group_limits().into_iter().find(|(_, limits)| !limits.is_empty()).map(|(flag, _)| flag)
    }

    /// The name of an argument that was given, if any.
    #[must_use]
    pub fn any_argument(&self) -> Option<&'static str> {
        let given = [
            ("--objective", self.objective.is_some()),
            ("--target-response", self.target_response.is_some()),
            ("--target-roas", self.target_roas.is_some()),
            ("--target-cpa", self.target_cpa.is_some()),
            ("--target-marginal-roas", self.target_marginal_roas.is_some()),
            ("--max-change", self.max_change.is_some()),
            ("--max-moves", self.max_moves.is_some()),
            ("--max-active", self.max_active.is_some()),
            ("--step", self.step.is_some()),
        ];
        let own = given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag);
        own.or_else(|| self.group_argument())
    }

    fn group_limits(&self) -> [(&'static str, &[(String, f64)]); 4] {
        [
            ("--group-lower", &self.group_lower),
            ("--group-upper", &self.group_upper),
            ("--group-share-lower", &self.group_share_lower),
            ("--group-share-upper", &self.group_share_upper),
        ]
    }

    /// The groups that an argument names, in the order of the table.
    fn groups(&self, campaigns: &Campaigns) -> Result<Vec<Group>, String> {
        let Some(flag) = self.group_argument() else { return Ok(Vec::new()) };
        let Some(of_arms) = campaigns.groups.as_deref() else {
            return Err(format!("{flag} needs a table with a column `group`"));
        };
        for (flag, limits) in self.group_limits() {
            for (at, (name, _)) in limits.iter().enumerate() {
                if !of_arms.contains(name) {
                    let known = known(of_arms).join(", ");
                    return Err(format!("{flag}: no campaign is in a group `{name}`; there are {known}"));
                }
                if limits[..at].iter().any(|(other, _)| other == name) {
                    return Err(format!("{flag} must stand once for the group `{name}`, got it twice"));
                }
            }
        }
        let group = |name: &str| {
            let [lower, upper, share_lower, share_upper] = self
                .group_limits()
                .map(|(_, limits)| limits.iter().find(|(other, _)| other == name).map(|(_, number)| *number));
            // No argument names it: no group.
            lower.or(upper).or(share_lower).or(share_upper)?;
            let members = (0..of_arms.len()).filter(|&arm| of_arms[arm] == name);
            let mut group = Group::new(name, members);
            if let Some(lower) = lower {
                group = group.lower(lower);
            }
            if let Some(upper) = upper {
                group = group.upper(upper);
            }
            if let Some(share) = share_lower {
                group = group.share_lower(share);
            }
            if let Some(share) = share_upper {
                group = group.share_upper(share);
            }
            Some(group)
        };
        Ok(known(of_arms).into_iter().filter_map(group).collect())
    }

    /// The argument that a field of the problem came from: `--group-upper video` for `groups[0].upper`.
    #[must_use]
    pub fn argument(&self, field: &str, campaigns: Option<&Campaigns>) -> Option<String> {
        let (name, rest) = field.split_at(field.find(['.', '[']).unwrap_or(field.len()));
        let given = match name {
            "objective" => self.objective.is_some(),
            "max_change" => self.max_change.is_some(),
            "max_moves" => self.max_moves.is_some(),
            "max_active" => self.max_active.is_some(),
            "step" => self.step.is_some(),
            "target" => {
                let target = self.target()?;
                return Some(format!("--target-{}", target.as_str().replace('_', "-")));
            }
            "groups" => {
                let (position, key) = rest.strip_prefix('[')?.split_once("].")?;
                let flag = format!("--group-{}", key.replace('_', "-"));
                let limits = self.group_limits().into_iter().find(|(other, _)| *other == flag)?.1;
                let limited = |name: &&str| {
                    self.group_limits()
                        .iter()
                        .any(|(_, limits)| limits.iter().any(|(other, _)| other == name))
                };
                let names = known(campaigns?.groups.as_deref()?);
                let name = names.into_iter().filter(limited).nth(position.parse().ok()?)?;
                return limits.iter().any(|(other, _)| other == name).then(|| format!("{flag} {name}"));
            }
            _ => false,
        };
        given.then(|| format!("--{}", name.replace('_', "-")))
    }
}

/// Each group once, in the order of the table.
fn known(of_arms: &[String]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for name in of_arms.iter().map(String::as_str).filter(|name| !name.is_empty()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
