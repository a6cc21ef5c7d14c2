//! Disasters of a control plane's store: kept as it is now, put back later.

use super::control_plane::ControlPlane;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

/// How long etcd may take to end in good order.
const END_DEADLINE: Duration = Duration::from_secs(60);

impl ControlPlane {
    /// Keeps a copy of the store as it is now. The control plane is away meanwhile: etcd is stopped in good order.
    pub fn save_store(&self) -> Result<(), String> {
        self.without_store(|data, copy| {
            let _ = fs::remove_dir_all(copy);
            copy_directory(data, copy)
        })
    }

    /// Puts back the copy of [`save_store`](Self::save_store), as an administrator does after a disaster: everything that
    /// was written since is forgotten, and resourceVersions are given out once more.
    pub fn restore_store(&self) -> Result<(), String> {
        self.without_store(|data, copy| fs::remove_dir_all(data).and_then(|()| copy_directory(copy, data)))
    }

    fn without_store(&self, work: impl Fn(&Path, &Path) -> io::Result<()>) -> Result<(), String> {
        self.kill_api_server()?;
        self.etcd().terminate()?;
        self.etcd().wait(END_DEADLINE).ok_or("etcd does not end")?;
        let (data, copy) = (self.dir().join("etcd"), self.dir().join("etcd-copy"));
        work(&data, &copy).map_err(|error| format!("copying {}: {error}", data.display()))?;
        self.start_etcd()?;
        self.restart_api_server()
    }
}

fn copy_directory(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    // etcd refuses a data directory that others can read.
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let copy = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &copy)?;
        } else {
            fs::copy(entry.path(), copy)?;
        }
    }
    Ok(())
}
