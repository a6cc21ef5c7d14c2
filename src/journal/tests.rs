//! Journals on real files: taken up again, locked, spoiled, full, written anew.

use super::*;
use crate::decide::{AttemptResult, CallEnd};
use std::fs;
use std::path::PathBuf;

const BOOT: &str = "boot-1";

/// A directory of its own, deleted at the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("call-operator-journal-{}", random_word().unwrap()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn open(&self) -> Journal {
        Journal::open(&self.0, BOOT).unwrap()
    }

    fn file(&self) -> PathBuf {
        self.0.join("journal-0")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_793_613_600 + second).unwrap()
}

fn mark(uid: &str, token: &str) -> SendMark {
    SendMark {
        uid: uid.to_owned(),
        number: 1,
        token: token.to_owned(),
        claimed: Some(at(0)),
        callee: Some("c".repeat(32)),
        effective: Some(at(0)),
    }
}

fn placed() -> AttemptResult {
    AttemptResult::Placed { call_id: Some("CA1".to_owned()), end: CallEnd::NotReported }
}

#[test]
fn whoever_takes_it_up_again_has_the_same_id_and_knows_what_was_sent() {
    let directory = Directory::new();
    let first = directory.open();
    first.sent(mark("a", "t1")).unwrap();
    first.sent(mark("b", "t2")).unwrap();
    first.answered("b", "t2", &placed());
    first.sent(mark("c", "t3")).unwrap();
    first.answered("c", "t3", &AttemptResult::Unsent { why: "withdrawn".to_owned() });
    first.answered("d", "t4", &placed());
    first.store_seen(7, at(1));
    let holder = first.holder().to_owned();
    drop(first);
    let next = directory.open();
    assert_eq!(next.holder(), holder);
    let fate = |uid, token| next.fate(uid, token, at(0));
    assert_eq!(fate("a", "t1"), Fate::Sent);
    assert_eq!(fate("b", "t2"), Fate::Answered(placed()));
    assert_eq!(fate("c", "t3"), Fate::NotSent);
    assert_eq!(fate("d", "t4"), Fate::NotSent);
    assert_eq!(next.recent().len(), 2, "both may have rung");
    assert_eq!(next.store().highest, 7);
}

#[test]
fn it_holds_no_number_and_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    let call = serde_json::json!({
        "metadata": {"namespace": "n", "name": "secret-name", "uid": "u"},
        "spec": {"phoneNumber": "+15550001234", "scheduledFor": "2026-11-02T10:00:00Z"},
        "status": {"effectiveTime": "2026-11-02T10:00:00Z"},
    });
    let attempt = serde_json::json!({
        "number": 1, "key": "k", "token": "t", "holder": "h", "dialerRevision": "r",
        "claimTime": "2026-11-02T10:00:00Z", "notBefore": "2026-11-02T10:00:00Z",
        "notAfter": "2026-11-02T10:00:10Z",
    });
    let call = serde_json::from_value(call).unwrap();
    let attempt = serde_json::from_value(attempt).unwrap();
    directory.open().sent(SendMark::of_orphan(&call, &attempt)).unwrap();
    let text = fs::read_to_string(directory.file()).unwrap();
    assert!(text.contains("\"callee\"") && !text.contains("1234") && !text.contains("secret"), "{text}");
    assert_eq!(fs::metadata(directory.file()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn one_that_is_kept_by_a_living_process_is_left_to_it() {
    let directory = Directory::new();
    let first = directory.open();
    let second = directory.open();
    assert_ne!(first.holder(), second.holder());
    assert!(directory.0.join("journal-1").exists());
    let holder = first.holder().to_owned();
    drop(first);
    assert_eq!(directory.open().holder(), holder);
}

#[test]
fn one_that_cannot_be_relied_on_is_begun_anew() {
    let good = {
        let directory = Directory::new();
        let journal = directory.open();
        journal.sent(mark("a", "t1")).unwrap();
        journal.sent(mark("b", "t2")).unwrap();
        fs::read_to_string(directory.file()).unwrap()
    };
    let lines: Vec<&str> = good.lines().collect();
    let spoiled = [
        ("torn in the middle", format!("{}\n{}\n{}\n", lines[0], &lines[1][..40], lines[2])),
        ("without its beginning", format!("{}\n{}\n", lines[1], lines[2])),
        ("with two", good.clone() + &good),
        ("of another boot", good.replace(BOOT, "boot-0")),
        ("of another format", good.replace("\"format\":1", "\"format\":2")),
        ("empty", String::new()),
    ];
    for (what, text) in spoiled {
        let directory = Directory::new();
        fs::write(directory.file(), text).unwrap();
        let journal = directory.open();
        assert!(!good.contains(journal.holder()), "{what}");
        assert_eq!(journal.fate("a", "t1", at(0)), Fate::NotSent, "{what}: that id has sent nothing");
        journal.sent(mark("c", "t3")).unwrap();
        let holder = journal.holder().to_owned();
        drop(journal);
        let again = directory.open();
        assert_eq!((again.holder(), again.fate("c", "t3", at(0))), (holder.as_str(), Fate::Sent), "{what}");
    }
    let directory = Directory::new();
    fs::write(directory.file(), &good).unwrap();
    let unknown_boot = Journal::open(&directory.0, "").unwrap();
    assert!(!good.contains(unknown_boot.holder()));
}

#[test]
fn a_cut_last_line_is_mended_and_what_comes_after_is_read() {
    let directory = Directory::new();
    let journal = directory.open();
    journal.sent(mark("a", "t1")).unwrap();
    journal.sent(mark("b", "t2")).unwrap();
    let holder = journal.holder().to_owned();
    drop(journal);
    let whole = fs::read(directory.file()).unwrap();
    for cut in 1..60 {
        fs::write(directory.file(), &whole[..whole.len() - cut]).unwrap();
        let journal = directory.open();
        assert_eq!(journal.holder(), holder);
        assert_eq!(journal.fate("b", "t2", at(0)), Fate::Sent, "{cut} bytes cut off");
        journal.sent(mark("c", "t3")).unwrap();
        drop(journal);
        let journal = directory.open();
        assert_eq!(journal.holder(), holder);
        for (uid, token) in [("a", "t1"), ("b", "t2"), ("c", "t3")] {
            assert_eq!(journal.fate(uid, token, at(0)), Fate::Sent, "{cut} bytes cut off");
        }
    }
}

#[test]
fn what_cannot_be_written_must_not_be_sent() {
    let directory = Directory::new();
    let journal = directory.open();
    // A journal whose file takes nothing: every write fails with "no space left on device".
    let full = fs::OpenOptions::new().read(true).append(true).open("/dev/full").unwrap();
    journal.lock().file.as_mut().unwrap().replace_for_tests(full);
    let refused = journal.sent(mark("a", "t1")).unwrap_err();
    assert!(refused.contains("the journal"), "{refused}");
    assert_eq!(journal.fate("a", "t1", at(0)), Fate::NotSent);
}

/// On a file system of eight kilobytes, where this machine lets us make one.
#[test]
fn a_full_disk_leaves_whole_lines_and_room_heals_it() {
    let directory = Directory::new();
    let mount = |arguments: &[&str]| {
        let status = std::process::Command::new("mount").args(arguments).arg(&directory.0).output();
        status.is_ok_and(|output| output.status.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "size=8k", "none"]) {
        eprintln!("no leave to mount a file system: not tested");
        return;
    }
    let journal = directory.open();
    let holder = journal.holder().to_owned();
    let filler = directory.0.join("filler");
    fs::write(&filler, [0; 4096]).unwrap();
    let sent: Vec<String> = (0..40).map(|index| format!("u{index}")).collect();
    let (written, refused): (Vec<_>, Vec<_>) =
        sent.iter().partition(|uid| journal.sent(mark(uid, "t")).is_ok());
    assert!(written.len() > 5 && refused.len() > 5, "{} written", written.len());
    fs::remove_file(&filler).unwrap();
    journal.sent(mark("after", "t")).unwrap();
    drop(journal);
    let again = directory.open();
    assert_eq!(again.holder(), holder);
    assert!(written.iter().all(|uid| again.fate(uid, "t", at(0)) == Fate::Sent));
    assert!(refused.iter().all(|uid| again.fate(uid, "t", at(0)) == Fate::NotSent));
    assert_eq!(again.fate("after", "t", at(0)), Fate::Sent);
    drop(again);
    std::process::Command::new("umount").arg(&directory.0).status().unwrap();
}

#[test]
fn a_long_file_is_written_anew_under_the_same_id_and_stays_locked() {
    let directory = Directory::new();
    let journal = directory.open();
    let holder = journal.holder().to_owned();
    journal.lock().file.as_mut().unwrap().limit_for_tests(20_000);
    for round in 0..200 {
        let token = format!("t{round}");
        journal.sent(mark("retried", &token)).unwrap();
        journal.answered("retried", &token, &AttemptResult::Unsent { why: "no connection".to_owned() });
    }
    journal.sent(mark("kept", "k")).unwrap();
    journal.answered("kept", "k", &placed());
    let length = fs::metadata(directory.file()).unwrap().len();
    assert!(length < 25_000, "{length} bytes");
    assert!(!directory.0.join("journal-0.new").exists());
    let other = directory.open();
    assert_ne!(other.holder(), holder, "still locked");
    drop((journal, other));
    let again = directory.open();
    assert_eq!(again.holder(), holder);
    assert_eq!(again.fate("kept", "k", at(0)), Fate::Answered(placed()));
    assert_eq!(again.fate("retried", "t7", at(0)), Fate::NotSent);
}
