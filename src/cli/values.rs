//! How values of flags are read.

use jiff::SignedDuration;
use std::net::SocketAddr;

/// A listening address, or none.
#[derive(Clone, Copy, Debug)]
pub struct Listen(pub Option<SocketAddr>);

/// Seconds as a decimal number, not negative and at most a hundred years.
pub fn seconds(text: &str) -> Result<SignedDuration, String> {
    let wrong = || "must be seconds from 0 to 3153600000, such as 3600 or 0.5".to_owned();
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    let duration =
        (0.0..=3_153_600_000.0).contains(&seconds).then(|| SignedDuration::try_from_secs_f64(seconds));
    duration.and_then(Result::ok).ok_or_else(wrong)
}

/// Seconds for which an attempt may be frozen before it is due.
pub fn claim_lead(text: &str) -> Result<SignedDuration, String> {
    let lead = seconds(text).ok().filter(|lead| *lead <= SignedDuration::from_secs(60));
    lead.ok_or_else(|| "must be seconds from 0 to 60, such as 2 or 0.5".to_owned())
}

/// The base of the URLs that providers are given to report to.
pub fn callback_url(url: String, allow_http: bool) -> Result<String, String> {
    let wrong = |why: &str| Err(format!("--callback-url: {why}"));
    let Ok(parsed) = url.parse::<http::Uri>() else { return wrong("is not a URL") };
    let (Some(scheme), Some(authority)) = (parsed.scheme_str(), parsed.authority()) else {
        return wrong("must begin with https:// and a host");
    };
    match scheme {
        "https" => {}
        "http" if allow_http => {}
        "http" => return wrong("plain http needs --dialer-allow-http; use https"),
        _ => return wrong("the scheme must be https"),
    }
    if authority.as_str().contains('@') || parsed.query().is_some() || url.contains('#') {
        return wrong("must not have a user, a query or a fragment");
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// HOST:PORT, or the word none.
pub fn address_or_none(text: &str) -> Result<Listen, String> {
    if text == "none" {
        return Ok(Listen(None));
    }
    text.parse()
        .map(|address| Listen(Some(address)))
        .map_err(|error| format!("{error}; give HOST:PORT or none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_url_is_a_plain_https_base() {
        let read = |url: &str, allow_http| callback_url(url.to_owned(), allow_http);
        assert_eq!(read("https://calls.example.com/x/", false), Ok("https://calls.example.com/x".to_owned()));
        assert_eq!(read("http://127.0.0.1:8082", true), Ok("http://127.0.0.1:8082".to_owned()));
        for url in ["http://a", "ftp://a", "a.example.com", "https://u@a", "https://a?x", "https://a#x", ""] {
            assert!(read(url, false).is_err_and(|why| why.starts_with("--callback-url")), "{url}");
        }
    }
}
