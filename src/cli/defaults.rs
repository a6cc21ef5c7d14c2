//! Flags for what is assumed where a spec is silent.

use crate::api::DayOfWeek;
use crate::decide::{DefaultHours, Defaults};
use crate::schedule::{Span, find_zone};
use clap::Args;
use jiff::SignedDuration;

/// What is assumed where a spec is silent.
#[derive(Debug, Args)]
pub struct DefaultsArgs {
    /// IANA time zone of a local time whose call names no zone.
    #[arg(long, env = "DEFAULT_TIMEZONE", default_value = "Asia/Kolkata", value_parser = zone_name)]
    pub default_time_zone: String,

    /// Opening time of business hours that are respected and not given, HH:MM.
    #[arg(long, env = "DEFAULT_BUSINESS_HOURS_START", default_value = "09:00")]
    pub business_hours_start: String,

    /// Closing time of the same, HH:MM or 24:00; before the start it is on the next day.
    #[arg(long, env = "DEFAULT_BUSINESS_HOURS_END", default_value = "18:00")]
    pub business_hours_end: String,

    /// Days on which they open, separated by commas.
    #[arg(long, env = "CALL_OPERATOR_BUSINESS_DAYS", default_value = "Monday,Tuesday,Wednesday,Thursday,Friday", value_delimiter = ',', value_parser = day_of_week)]
    pub business_days: Vec<DayOfWeek>,

    /// Attempts in all, where a call's retryPolicy names no number (1 to 10).
    #[arg(long, env = "QUEUE_RETRY_ATTEMPTS", default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..=10))]
    pub retry_max_attempts: i32,

    /// Seconds before the second attempt, where a call's retryPolicy names none (1 to 86400); 2 if not set. The old service's
    /// variable QUEUE_RETRY_BACKOFF_DELAY, in milliseconds, is read when neither flag nor variable is set.
    #[arg(long, env = "CALL_OPERATOR_RETRY_INITIAL_DELAY_SECONDS", value_parser = clap::value_parser!(i32).range(1..=86400))]
    pub retry_initial_delay_seconds: Option<i32>,
}

/// What these flags say.
///
/// # Errors
/// Which flag or variable is wrong.
pub fn defaults(args: DefaultsArgs) -> Result<Defaults, String> {
    let initial_delay = match args.retry_initial_delay_seconds {
        Some(seconds) => seconds,
        None => old_backoff_delay(std::env::var("QUEUE_RETRY_BACKOFF_DELAY").ok().as_deref())?,
    };
    let hours = DefaultHours {
        start: args.business_hours_start,
        end: args.business_hours_end,
        days: args.business_days,
    };
    Span::parse(&hours.start, &hours.end)
        .map_err(|error| format!("--business-hours-start, --business-hours-end: {error}"))?;
    Ok(Defaults {
        time_zone: args.default_time_zone,
        hours,
        retry_max_attempts: args.retry_max_attempts,
        retry_initial_delay_seconds: initial_delay,
        ttl_completed: None,
        ttl_failed: None,
        max_claim_lead: SignedDuration::ZERO,
        clock_rate: 1.0,
    })
}

/// A day by its name, or the first three letters of it.
fn day_of_week(text: &str) -> Result<DayOfWeek, String> {
    let days = DayOfWeek::ALL.into_iter();
    let text = text.trim();
    days.into_iter()
        .find(|day| {
            let name = format!("{day:?}");
            name.eq_ignore_ascii_case(text)
                || name.get(..3).is_some_and(|short| short.eq_ignore_ascii_case(text))
        })
        .ok_or_else(|| "not a day of the week; write Monday, Tuesday, …".to_owned())
}

/// The old service gave the delay in milliseconds; whole seconds are what a policy counts in.
fn old_backoff_delay(milliseconds: Option<&str>) -> Result<i32, String> {
    let Some(text) = milliseconds else { return Ok(2) };
    match text.parse::<i32>() {
        Ok(milliseconds @ 1..=86_400_000) => Ok((milliseconds + 999) / 1000),
        _ => Err(format!("QUEUE_RETRY_BACKOFF_DELAY \"{text}\": must be milliseconds from 1 to 86400000")),
    }
}

fn zone_name(name: &str) -> Result<String, String> {
    find_zone(name).map(|_| name.to_owned()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_delay_is_read_in_milliseconds() {
        assert_eq!(old_backoff_delay(None), Ok(2));
        assert_eq!(old_backoff_delay(Some("5000")), Ok(5));
        assert_eq!(old_backoff_delay(Some("1500")), Ok(2));
        assert!(old_backoff_delay(Some("soon")).is_err());
    }
}
