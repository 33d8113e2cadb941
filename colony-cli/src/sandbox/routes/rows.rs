//! Rows that belong to one account each.

use jiff::Timestamp;
use uuid::Uuid;

use super::Reply;

/// Private rows of accounts, oldest first.
pub(super) struct Rows<T>(Vec<Row<T>>);

pub(super) struct Row<T> {
    pub(super) id: Uuid,
    pub(super) owner: Uuid,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) it: T,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Rows<T> {
    pub(super) fn add(&mut self, owner: Uuid, now: Timestamp, it: T) -> &Row<T> {
        self.0.push(Row { id: Uuid::new_v4(), owner, created: now, updated: now, it });
        &self.0[self.0.len() - 1]
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Row<T>> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Row<T>> {
        self.0.iter_mut()
    }

    /// Returns the rows of one account, newest first.
    pub(super) fn of(&self, owner: Uuid) -> Vec<&Row<T>> {
        self.0.iter().rev().filter(|row| row.owner == owner).collect()
    }

    /// Returns a row of one account; another user's row is 404 as well.
    pub(super) fn find(&mut self, owner: Uuid, id: Uuid, what: &str) -> Result<&mut Row<T>, Reply> {
        let row = self.0.iter_mut().find(|row| row.id == id && row.owner == owner);
        row.ok_or_else(|| Reply::none(what))
    }

    /// Removes every row that matches. Returns their number.
    pub(super) fn remove(&mut self, fits: impl Fn(&Row<T>) -> bool) -> usize {
        let before = self.0.len();
        self.0.retain(|row| !fits(row));
        before - self.0.len()
    }

    /// Removes a row of one account.
    pub(super) fn delete(&mut self, owner: Uuid, id: Uuid, what: &str) -> Result<(), Reply> {
        match self.remove(|row| row.id == id && row.owner == owner) {
            0 => Err(Reply::none(what)),
            _ => Ok(()),
        }
    }

    /// Refuses another row if the account already has `limit`.
    pub(super) fn room(&self, owner: Uuid, limit: usize, what: &str) -> Result<(), Reply> {
        if self.of(owner).len() < limit {
            return Ok(());
        }
        Err(Reply::error(400, "LIMIT_EXCEEDED", format!("You have {limit} {what} already")))
    }
}
