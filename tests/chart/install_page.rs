//! The commands of docs/install.md, run one after another as the page shows them.
//!
//! `<!-- a fresh cluster -->` begins anew, `<!-- a fresh cluster with a release -->` with what the first block of the page
//! installs.

use crate::installed::Fresh;
use crate::support::page::{blocks, shell};
use crate::support::succeed;

#[test]
fn every_command_of_the_page_works() {
    let blocks = blocks("docs/install.md");
    let tested: Vec<_> = blocks.iter().filter(|block| !block.is_not_tested()).collect();
    let mut cluster = Fresh::start();
    for block in &tested {
        if block.comment.starts_with("<!-- a fresh cluster") {
            drop(cluster);
            cluster = Fresh::start();
        }
        if block.comment.contains("with a release") {
            succeed(&mut shell(&cluster, &tested[0].commands));
        }
        succeed(&mut shell(&cluster, &block.commands));
    }
    assert!(tested.len() >= 8, "only {} blocks were found", tested.len());
    assert!(blocks.len() - tested.len() <= 4, "{} blocks are not tested", blocks.len() - tested.len());
}
