//! How a provider proves that a report is its own, beside the token in the URL. Pure; compares in constant time.

use crate::api::CallbackVerificationType;
use crate::decide::{VerificationPlan, unhex};
use ::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::Sha256;

/// Twilio's header.
const TWILIO_HEADER: &str = "x-twilio-signature";

/// A report as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    /// The URL that the provider was given.
    pub url: &'a str,
    /// Header fields.
    pub headers: &'a HeaderMap,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// Whether a report bears the signature that the Dialer asks for, made with `key`.
pub fn is_signed(arrived: Arrived<'_>, verification: &VerificationPlan, key: &[u8]) -> bool {
    match verification.kind {
        CallbackVerificationType::Token => true,
        CallbackVerificationType::HmacSha256 => {
            let Some(claimed) = header(arrived, &verification.header) else { return false };
            let claimed = claimed.strip_prefix("sha256=").unwrap_or(claimed);
            let candidates = [unhex(claimed), STANDARD.decode(claimed).ok()];
            candidates.into_iter().flatten().any(|mac| matches_sha256(key, arrived.body, &mac))
        }
        CallbackVerificationType::TwilioSHA1 => {
            let claimed = header(arrived, TWILIO_HEADER).and_then(|text| STANDARD.decode(text).ok());
            claimed.is_some_and(|mac| matches_twilio(key, arrived, &mac))
        }
    }
}

fn header<'a>(arrived: Arrived<'a>, name: &str) -> Option<&'a str> {
    arrived.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

fn matches_sha256(key: &[u8], body: &[u8], claimed: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    mac.update(body);
    mac.verify_slice(claimed).is_ok()
}

/// HMAC-SHA-1 over the URL and the fields of the form, sorted by name and written without separators
/// (Twilio, "Validating Signatures").
fn matches_twilio(key: &[u8], arrived: Arrived<'_>, claimed: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key) else { return false };
    mac.update(arrived.url.as_bytes());
    let mut fields: Vec<_> = form_urlencoded::parse(arrived.body).collect();
    fields.sort();
    for (name, value) in fields {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    mac.verify_slice(claimed).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verification(kind: CallbackVerificationType, header: &str) -> VerificationPlan {
        VerificationPlan { kind, header: header.to_owned(), key: None }
    }

    fn signed(verification: &VerificationPlan, header: &str, value: &str, body: &str, key: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(::http::HeaderName::try_from(header).unwrap(), value.parse().unwrap());
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        is_signed(Arrived { url, headers: &headers, body: body.as_bytes() }, verification, key.as_bytes())
    }

    /// RFC 4231, test case 2.
    #[test]
    fn an_hmac_of_the_body_is_taken_in_hexadecimal_and_base64() {
        let (key, body) = ("Jefe", "what do ya want for nothing?");
        let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let base64 = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";
        let usual = verification(CallbackVerificationType::HmacSha256, "X-Signature");
        assert!(signed(&usual, "X-Signature", hex, body, key));
        assert!(signed(&usual, "X-Signature", base64, body, key));
        assert!(signed(&usual, "X-Signature", &format!("sha256={}", hex.to_uppercase()), body, key));
        assert!(signed(
            &verification(CallbackVerificationType::HmacSha256, "X-Webhook"),
            "x-webhook",
            hex,
            body,
            key
        ));
        for (header, value, body, key) in [
            ("X-Other", hex, body, key),
            ("X-Signature", hex, "another body", key),
            ("X-Signature", hex, body, "another key"),
            ("X-Signature", &hex[..62], body, key),
            ("X-Signature", "", body, key),
        ] {
            assert!(!signed(&usual, header, value, body, key), "{header} {value} {body} {key}");
        }
    }

    /// The worked example of Twilio's documentation, computed anew with its own Python library.
    #[test]
    fn twilio_signs_the_url_and_the_sorted_fields() {
        let body = "CallSid=CA1234567890ABCDE&Caller=%2B14158675310&Digits=1234&From=%2B14158675310&To=%2B18005551212";
        let twilio = verification(CallbackVerificationType::TwilioSHA1, "");
        let shuffled = "To=%2B18005551212&Digits=1234&From=%2B14158675310&Caller=%2B14158675310&CallSid=CA1234567890ABCDE";
        let signature = TWILIO_EXAMPLE;
        assert!(signed(&twilio, "X-Twilio-Signature", signature, body, "12345"));
        assert!(signed(&twilio, "X-Twilio-Signature", signature, shuffled, "12345"));
        assert!(!signed(&twilio, "X-Twilio-Signature", signature, &body.replace("1234&", "1235&"), "12345"));
        assert!(!signed(&twilio, "X-Twilio-Signature", signature, body, "54321"));
        assert!(!signed(&twilio, "X-Signature", signature, body, "12345"));
    }

    const TWILIO_EXAMPLE: &str = "GvWf1cFY/Q7PnoempGyD5oXAezc=";
}
