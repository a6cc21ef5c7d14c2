//! Which addresses a dialer may have: what can be said of a URL without asking DNS, and of an address that DNS gave.
//!
//! Promise: metadata services of clouds are refused always, in every spelling of an address; what is refused here gets
//! no packet.

use super::field_error::FieldError;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What the operator's flags allow of dialer addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressPolicy {
    /// Plain `http://` (`--dialer-allow-http`).
    pub allow_http: bool,
    /// Loopback, private and link-local addresses (`--dialer-allow-private-addresses`).
    pub allow_private: bool,
}

const NOT_ALLOWED: &str = "AddressNotAllowed";
const INVALID: &str = "InvalidURL";

/// Why a dialer must not be reached at this address, or `None` if it may. Metadata services are refused always.
pub fn refused_address(address: IpAddr, policy: AddressPolicy) -> Option<&'static str> {
    let meant = meant_by(address);
    if meant.iter().any(|address| is_metadata(*address)) {
        return Some("it belongs to a cloud metadata service, which is never allowed");
    }
    if meant.iter().any(|address| is_nowhere(*address)) {
        return Some("it is not the address of one host");
    }
    (!policy.allow_private && meant.iter().any(|address| is_private(*address)))
        .then_some("it is a private address, which needs --dialer-allow-private-addresses")
}

/// The address and, where it carries one of IPv4, that: a gateway may deliver there.
fn meant_by(address: IpAddr) -> Vec<IpAddr> {
    let address = address.to_canonical();
    let IpAddr::V6(v6) = address else { return vec![address] };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    let carried = match (a, b, c, d, e, f) {
        // NAT64 (RFC 6052), 6to4 (RFC 3056), and the IPv4-compatible form that RFC 4291 gave up.
        (0x64, 0xff9b, 0, 0, 0, 0) => Some(v4(g, h)),
        (0x2002, ..) => Some(v4(b, c)),
        (0, 0, 0, 0, 0, 0) if g != 0 => Some(v4(g, h)),
        _ => None,
    };
    [Some(address), carried].into_iter().flatten().collect()
}

fn is_metadata(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let alibaba = Ipv4Addr::new(100, 100, 100, 200);
            let azure = Ipv4Addr::new(168, 63, 129, 16);
            let oracle = Ipv4Addr::new(192, 0, 0, 192);
            v4.is_link_local() || [alibaba, azure, oracle].contains(&v4)
        }
        IpAddr::V6(v6) => {
            let aws = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
            let google = Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254);
            [aws, google].contains(&v6)
        }
    }
}

fn is_nowhere(address: IpAddr) -> bool {
    address.is_unspecified() || address.is_multicast() || address == IpAddr::V4(Ipv4Addr::BROADCAST)
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let carrier_grade_nat = a == 100 && (64..128).contains(&b);
            let benchmarking = a == 198 && (b == 18 || b == 19);
            let protocols = (a, b, c) == (192, 0, 0);
            a == 0
                || v4.is_loopback()
                || v4.is_private()
                || carrier_grade_nat
                || benchmarking
                || protocols
                || a >= 240
        }
        IpAddr::V6(v6) => {
            let site_local = v6.segments()[0] & 0xffc0 == 0xfec0;
            v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() || site_local
        }
    }
}

/// Scheme and host of a URL that may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Field that names it.
    pub path: String,
    /// Name or address, without brackets.
    pub host: String,
    /// Port, also where the URL names none.
    pub port: u16,
}

/// What can be said of the URL in the field at `path` without asking DNS.
///
/// # Errors
/// Why it cannot be used.
pub fn check_url(url: &str, path: &str, policy: AddressPolicy) -> Result<Target, FieldError> {
    let refuse = |reason, message: String| Err(FieldError::new(reason, path, message));
    let parsed: http::Uri = match url.parse() {
        Ok(uri) => uri,
        Err(error) => return refuse(INVALID, format!("is not a URL: {error}")),
    };
    let (Some(scheme), Some(authority)) = (parsed.scheme_str(), parsed.authority()) else {
        return refuse(INVALID, "must begin with https:// and a host".to_owned());
    };
    if authority.as_str().contains('@') {
        return refuse(INVALID, "must not contain a user name or password".to_owned());
    }
    let default_port = match scheme {
        "https" => 443,
        "http" if policy.allow_http => 80,
        "http" => return refuse(NOT_ALLOWED, "plain http needs --dialer-allow-http; use https".to_owned()),
        other => return refuse(INVALID, format!("the scheme must be https, not {other}")),
    };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    if is_local_name(&host) && !policy.allow_private {
        let message = "localhost is a private address, which needs --dialer-allow-private-addresses";
        return refuse(NOT_ALLOWED, message.to_owned());
    }
    match literal(&host).and_then(|address| refused_address(address, policy).map(|why| (address, why))) {
        Some((address, why)) => refuse(NOT_ALLOWED, format!("{address} is refused: {why}")),
        None => {
            let port = authority.port_u16().unwrap_or(default_port);
            Ok(Target { path: path.to_owned(), host, port })
        }
    }
}

fn is_local_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// The address that a host spells out, in any form that a resolver takes for one.
fn literal(host: &str) -> Option<IpAddr> {
    host.parse().ok().or_else(|| loose_ipv4(host).map(IpAddr::V4))
}

/// One to four numbers, each decimal, octal (`0177`) or hexadecimal (`0x7f`), the last one for all that remains: what
/// `inet_aton` reads.
fn loose_ipv4(host: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u32> = host.trim_end_matches('.').split('.').map(loose_number).collect::<Option<_>>()?;
    let (last, first) = parts.split_last()?;
    if first.len() > 3 || first.iter().any(|part| *part > 255) {
        return None;
    }
    let remaining = 8 * (4 - first.len());
    if remaining < 32 && *last >> remaining != 0 {
        return None;
    }
    let high = first.iter().zip([24, 16, 8]).fold(0, |sum, (part, shift)| sum | part << shift);
    Some(Ipv4Addr::from(high | last))
}

fn loose_number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    u32::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: AddressPolicy = AddressPolicy { allow_http: false, allow_private: false };
    const LENIENT: AddressPolicy = AddressPolicy { allow_http: true, allow_private: true };

    fn refused(url: &str, policy: AddressPolicy) -> Option<String> {
        check_url(url, "spec.x", policy).err().map(|error| format!("{} {error}", error.reason))
    }

    #[test]
    fn every_spelling_of_an_address_means_that_address() {
        let loopback = [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "017700000001",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "127.0.1",
            "127.0.0.1.",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
        ];
        for host in loopback {
            let url = format!("https://{host}/x");
            let why = refused(&url, STRICT).unwrap_or_default();
            assert!(why.starts_with(NOT_ALLOWED) && why.contains("private"), "{host}: {why}");
            assert_eq!(refused(&url, LENIENT), None, "{host}");
        }
    }

    #[test]
    fn metadata_services_are_never_allowed() {
        let hosts = [
            "169.254.169.254",
            "169.254.170.2",
            "2852039166",
            "0xa9fea9fe",
            "0251.0376.0251.0376",
            "[::ffff:169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:a9fe:a9fe::1]",
            "[::a9fe:a9fe]",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "[fd00:ec2::254]",
            "[fd20:ce::254]",
        ];
        for host in hosts {
            let why = refused(&format!("https://{host}/x"), LENIENT).unwrap_or_default();
            assert!(why.contains("metadata"), "{host}: {why}");
        }
    }

    #[test]
    fn private_networks_need_the_flag_and_public_ones_do_not() {
        let private = [
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "240.0.0.1",
            "0.1.2.3",
            "[fd00::1]",
            "[fe80::1]",
            "[fec0::1]",
        ];
        for host in private {
            assert!(refused(&format!("https://{host}/"), STRICT).is_some(), "{host}");
        }
        for host in
            ["8.8.8.8", "134744072", "[2606:4700::1111]", "api.example.com", "0xfeed.example", "1.2.3.4.5"]
        {
            assert_eq!(refused(&format!("https://{host}/"), STRICT), None, "{host}");
        }
        for host in ["0.0.0.0", "[::]", "255.255.255.255", "224.0.0.1", "[ff02::1]"] {
            assert!(refused(&format!("https://{host}/"), LENIENT).is_some(), "{host}");
        }
    }

    #[test]
    fn what_is_no_plain_https_url_is_refused() {
        let cases = [
            ("http://api.example.com/", "--dialer-allow-http"),
            ("ftp://api.example.com/", "scheme"),
            ("https://user:secret@api.example.com/", "user name"),
            ("https://user@api.example.com/", "user name"),
            ("/calls", "must begin with https://"),
            ("https://", "is not a URL"),
            ("https:// api.example.com/", "is not a URL"),
        ];
        for (url, expected) in cases {
            let why = refused(url, STRICT).unwrap_or_default();
            assert!(why.contains(expected), "{url}: {why}");
        }
        let target = check_url("https://[2606:4700::1111]:8443/x", "spec.x", STRICT).unwrap();
        assert_eq!((target.host.as_str(), target.port), ("2606:4700::1111", 8443));
        assert_eq!(check_url("http://a/x", "spec.x", LENIENT).unwrap().port, 80);
    }
}
