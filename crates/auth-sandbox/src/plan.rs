//! Which fault the next token request gets.

use std::collections::VecDeque;

use crate::Fault;

/// The counted faults in the order in which they were injected, then the standing one.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    counted: VecDeque<(Fault, u32)>,
    standing: Option<Fault>,
}

impl Plan {
    pub(crate) fn stand(&mut self, fault: Fault) {
        self.standing = Some(fault);
    }

    pub(crate) fn count(&mut self, fault: Fault, times: u32) {
        if times > 0 {
            self.counted.push_back((fault, times));
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The faults in the order in which they come, each with how often it still does; `None` is until
    /// it is cleared.
    pub(crate) fn list(&self) -> impl Iterator<Item = (&Fault, Option<u32>)> {
        let counted = self.counted.iter().map(|(fault, times)| (fault, Some(*times)));
        counted.chain(self.standing.iter().map(|fault| (fault, None)))
    }

    /// The fault for one request.
    pub(crate) fn take(&mut self) -> Option<Fault> {
        let Some((fault, times)) = self.counted.front_mut() else {
            return self.standing.clone();
        };
        *times -= 1;
        if *times > 0 {
            return Some(fault.clone());
        }
        self.counted.pop_front().map(|(fault, _)| fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_faults_come_first_and_in_order_then_the_standing_one() {
        let mut plan = Plan::default();
        plan.stand(Fault::Stall);
        plan.count(Fault::Reset, 2);
        plan.count(Fault::Gzip, 1);
        plan.count(Fault::Close, 0);
        let met: Vec<_> = (0..5).map(|_| format!("{:?}", plan.take().unwrap())).collect();
        assert_eq!(met, ["Reset", "Reset", "Gzip", "Stall", "Stall"]);
        plan.clear();
        assert!(plan.take().is_none());
    }
}
