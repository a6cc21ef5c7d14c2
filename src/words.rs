//! Small texts: masked numbers for logs, random words for tokens and holders.

use std::fmt::Write;

/// A phone number with all but its last two digits hidden; the only form in which one may be logged.
pub fn masked(phone_number: &str) -> String {
    let digits = phone_number.chars().count();
    phone_number.chars().enumerate().map(|(i, c)| if i + 2 >= digits || c == '+' { c } else { '*' }).collect()
}

/// An error with its causes, which `Display` of most HTTP errors leaves out.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = next.source();
    }
    text
}

/// 128 random bits as 32 hexadecimal digits.
///
/// # Errors
/// When the system has no randomness to give; then nothing may be claimed.
pub fn random_word() -> Result<String, String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| format!("no randomness from the system: {error}"))?;
    let mut word = String::with_capacity(32);
    for byte in bytes {
        write!(word, "{byte:02x}").map_err(|error| error.to_string())?;
    }
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_two_digits_remain() {
        assert_eq!(masked("+14155550123"), "+*********23");
        assert_eq!(masked("+1"), "+1");
        assert_eq!(masked(""), "");
    }

    #[test]
    fn words_differ() {
        assert_ne!(random_word().unwrap(), random_word().unwrap());
        assert_eq!(random_word().unwrap().len(), 32);
    }
}
