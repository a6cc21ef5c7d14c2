//! A state of the model: the object at the API server, two operator processes, what is under way between them and the
//! dialer, and what the dialer has in its books.

use super::objects::{Fate, Heard, Holder, Id, Objects, Token, When};
use super::setting::Setting;

/// Most attempts of any policy of the model.
pub const ATTEMPTS: usize = 2;

/// The object as somebody has seen it; without a number it was deleted.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seen {
    pub version: u8,
    pub object: Option<Id>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub time: When,
    pub stored: Seen,
    pub processes: [Process; 2],
    /// Writes that were sent and have not arrived: the version they are based on, and what they write.
    pub writes: Vec<(u8, Id)>,
    pub requests: Vec<Request>,
    /// What the dialer knows of each attempt.
    pub books: [Entry; ATTEMPTS],
    /// Tokens that were stored at some time.
    pub once_stored: u32,
    /// Faults, pauses and whims that may still come.
    pub disturbances: u8,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Process {
    pub alive: bool,
    /// It sleeps, and does not know.
    pub paused: bool,
    pub life: u8,
    /// The newest it knows: its cache, which may lag, or what it wrote or read itself.
    pub view: Seen,
    pub script: Script,
    /// Tokens whose request may have left, by its journal or because a script ended without storing its result.
    pub sent: u32,
    /// The result that its journal holds and that is not stored yet.
    pub noted: Option<(Token, i32, Fate)>,
}

/// Where the one script of a process stands; between two of these it can be interrupted.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Script {
    Idle,
    /// A claim was written and not confirmed.
    Doubtful {
        token: Token,
    },
    /// The claim is proved by this version.
    Claimed {
        token: Token,
        number: i32,
        proof: Seen,
    },
    OnTheWire {
        token: Token,
        number: i32,
        proof: Seen,
        sent: When,
    },
    /// It is known what became of the request, or that nobody knows; `asked` when the provider cannot say more.
    Known {
        token: Token,
        number: i32,
        fate: Fate,
        from: Seen,
        asked: bool,
    },
    /// The claim that bears `before` becomes ours to settle; `own` is what we claimed ourselves.
    TakingOver {
        token: Token,
        before: Token,
        number: i32,
        from: Seen,
        own: Option<Token>,
    },
    Asking {
        token: Token,
        number: i32,
        from: Seen,
        repeats: u8,
    },
    Repeating {
        token: Token,
        number: i32,
        from: Seen,
        repeats: u8,
        sent: When,
    },
}

/// A request on its way to the dialer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Request {
    /// Who waits for the answer, if anybody does.
    pub process: Option<u8>,
    pub number: i32,
    pub sent: When,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Requests that left a process.
    pub requests: u8,
    pub rings: u8,
    /// When it first took one.
    pub taken: When,
    pub heard: Option<Heard>,
}

impl Script {
    /// The tokens of the flight (`controller::flights`).
    pub fn tokens(self) -> u32 {
        match self {
            Self::Idle => 0,
            Self::TakingOver { token, own: Some(own), .. } => 1 << token | 1 << own,
            Self::Doubtful { token }
            | Self::Claimed { token, .. }
            | Self::OnTheWire { token, .. }
            | Self::Known { token, .. }
            | Self::TakingOver { token, .. }
            | Self::Asking { token, .. }
            | Self::Repeating { token, .. } => 1 << token,
        }
    }

    /// Every token that it names.
    fn named(self) -> u32 {
        let before = if let Self::TakingOver { before, .. } = self { 1 << before } else { 0 };
        before | self.tokens()
    }

    fn seen(&mut self) -> Option<&mut Seen> {
        match self {
            Self::Idle | Self::Doubtful { .. } => None,
            Self::Claimed { proof: seen, .. }
            | Self::OnTheWire { proof: seen, .. }
            | Self::Known { from: seen, .. }
            | Self::TakingOver { from: seen, .. }
            | Self::Asking { from: seen, .. }
            | Self::Repeating { from: seen, .. } => Some(seen),
        }
    }
}

impl State {
    pub fn begin(first: Id, setting: &Setting) -> Self {
        let seen = Seen { version: 0, object: Some(first) };
        let process = Process {
            alive: true,
            paused: false,
            life: 0,
            view: seen,
            script: Script::Idle,
            sent: 0,
            noted: None,
        };
        Self {
            time: 0,
            stored: seen,
            processes: [process.clone(), process],
            writes: Vec::new(),
            requests: Vec::new(),
            books: [Entry::default(); ATTEMPTS],
            once_stored: 0,
            disturbances: setting.disturbances,
        }
    }

    pub fn holder(&self, process: u8) -> Holder {
        Holder { process, life: self.process(process).life }
    }

    pub fn process(&self, process: u8) -> &Process {
        &self.processes[usize::from(process)]
    }

    pub fn process_mut(&mut self, process: u8) -> &mut Process {
        &mut self.processes[usize::from(process)]
    }

    pub fn entry(&mut self, number: i32) -> &mut Entry {
        &mut self.books[usize::try_from(number).unwrap() - 1]
    }

    pub fn rings(&self) -> u8 {
        self.books.iter().map(|entry| entry.rings).sum()
    }

    /// A token that nobody has heard of.
    pub fn fresh_token(&mut self, objects: &Objects) -> Token {
        let used = self.used_tokens(objects);
        let token = (0..32).find(|token| used & (1 << token) == 0).unwrap();
        self.once_stored &= !(1 << token);
        token
    }

    fn used_tokens(&self, objects: &Objects) -> u32 {
        self.used_outside_journals(objects)
            | self.processes.iter().fold(0, |used, process| used | process.sent)
    }

    fn used_outside_journals(&self, objects: &Objects) -> u32 {
        let mut used = 0;
        let mut add = |object: Option<Id>| used |= object.map_or(0, |id| objects.tokens(id));
        add(self.stored.object);
        self.writes.iter().for_each(|(_, id)| add(Some(*id)));
        for process in &self.processes {
            let mut script = process.script;
            add(process.view.object);
            add(script.seen().and_then(|seen| seen.object));
        }
        self.processes.iter().fold(used, |used, process| {
            let noted = process.noted.map_or(0, |(token, ..)| 1 << token);
            used | process.script.named() | noted
        })
    }

    /// Forgets what makes no difference any more, so that equal states look equal.
    pub fn tidy(mut self, objects: &Objects) -> Self {
        self.requests.sort_unstable();
        self.writes.retain(|(base, _)| *base == self.stored.version);
        self.writes.sort_unstable();
        let stored = self.stored;
        for process in &mut self.processes {
            if !process.alive {
                process.view = stored;
            }
        }
        let used = self.used_outside_journals(objects);
        self.processes.iter_mut().for_each(|process| process.sent &= used);
        self.once_stored &= self.used_tokens(objects);
        self.number_versions();
        self
    }

    /// Only the order of versions matters.
    fn number_versions(&mut self) {
        let mut versions: Vec<u8> = self.seens().map(|seen| seen.version).collect();
        versions.sort_unstable();
        versions.dedup();
        let rank = |version: u8| u8::try_from(versions.binary_search(&version).unwrap()).unwrap();
        self.seens().for_each(|seen| seen.version = rank(seen.version));
        // All that are left are based on what is stored.
        let current = self.stored.version;
        self.writes.iter_mut().for_each(|(base, _)| *base = current);
    }

    fn seens(&mut self) -> impl Iterator<Item = &mut Seen> {
        let processes = self.processes.iter_mut();
        let of_processes =
            processes.flat_map(|process| std::iter::once(&mut process.view).chain(process.script.seen()));
        std::iter::once(&mut self.stored).chain(of_processes)
    }
}
