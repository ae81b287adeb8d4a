//! Alerts take turns: the messages of one alert are put in together, and an alert with many of them must not delay the
//! next one by more than its own first message. This is start-time fair queueing with one alert as a flow.
//! <https://doi.org/10.1145/248156.248171>

use std::collections::HashMap;

/// The alert whose messages take turns with those of others. A message that another process left is a group of its own.
pub(super) type Group = u64;

/// Groups that are remembered before those that are behind are forgotten.
const MIN_REMEMBERED: usize = 1_024;

/// Ranks messages that are due: the lowest is next.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// The rank of the message that was given out last.
    now: u64,
    /// The last rank in each group.
    last: HashMap<Group, u64>,
    forget_at: usize,
    groups: Group,
}

impl Turns {
    /// A group that no message has.
    pub fn new_group(&mut self) -> Group {
        self.groups += 1;
        self.groups
    }

    /// The rank of a further message of this group: one after the last of its group, and not before the present.
    pub fn rank(&mut self, group: Group) -> u64 {
        let last = self.last.get(&group);
        let rank = last.map_or(self.now, |last| self.now.max(last + 1));
        self.last.insert(group, rank);
        if self.last.len() > self.forget_at.max(MIN_REMEMBERED) {
            // The next rank of a group that is behind is the present one, remembered or not.
            self.last.retain(|_, last| *last >= self.now);
            self.forget_at = 2 * self.last.len();
        }
        rank
    }

    /// The message of this rank is given out.
    pub fn given_out(&mut self, rank: u64) {
        self.now = self.now.max(rank);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_take_turns() {
        let mut turns = Turns::default();
        let (large, small) = (turns.new_group(), turns.new_group());
        assert_eq!([(); 4].map(|()| turns.rank(large)), [0, 1, 2, 3]);
        turns.given_out(0);
        turns.given_out(1);
        assert_eq!(
            [(); 2].map(|()| turns.rank(small)),
            [1, 2],
            "not before the present"
        );
        assert_eq!(turns.rank(large), 4, "behind its own group");
        turns.given_out(9);
        assert_eq!((turns.rank(large), turns.rank(small)), (9, 9));
    }

    #[test]
    fn groups_that_are_behind_are_forgotten() {
        let mut turns = Turns::default();
        for rank in 0..100_000 {
            let group = turns.new_group();
            turns.rank(group);
            turns.given_out(rank);
        }
        assert!(
            turns.last.len() <= 2 * MIN_REMEMBERED,
            "{}",
            turns.last.len()
        );
    }
}
