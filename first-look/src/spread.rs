//! Count, smallest, largest and percentiles of times: exact up to a number of values, from then on within 0.1 %.

use hdrhistogram::Histogram;

/// Values that are kept one by one.
const EXACT: usize = 65_536;
/// One day in nanoseconds; longer times count as this in percentiles.
const LONGEST: u64 = 86_400_000_000_000;

#[derive(Debug, Clone, Default)]
pub(crate) struct Spread {
    values: Vec<i64>,
    histogram: Option<Box<Histogram<u64>>>,
    count: u64,
    least: i64,
    most: i64,
}

impl Spread {
    pub fn add(&mut self, value: i64) {
        (self.least, self.most) = if self.count == 0 {
            (value, value)
        } else {
            (self.least.min(value), self.most.max(value))
        };
        self.count += 1;
        if self.histogram.is_none() && self.values.len() == EXACT {
            // The bounds are constants that the crate accepts; without it, percentiles are those of the first values.
            self.histogram = Histogram::new_with_bounds(1, LONGEST, 3).ok().map(Box::new);
            for value in std::mem::take(&mut self.values) {
                self.record(value);
            }
        }
        if self.histogram.is_some() {
            self.record(value);
        } else if self.values.len() < EXACT {
            self.values.push(value);
        }
    }

    fn record(&mut self, value: i64) {
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(value.max(1) as u64);
        }
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn least(&self) -> i64 {
        self.least
    }

    pub fn most(&self) -> i64 {
        self.most
    }

    pub fn is_exact(&self) -> bool {
        self.histogram.is_none()
    }

    /// Nearest-rank percentiles, each in nanoseconds.
    pub fn percentiles<const N: usize>(&mut self, of: [usize; N]) -> [i64; N] {
        if let Some(histogram) = &self.histogram {
            return of.map(|percent| histogram.value_at_quantile(percent as f64 / 100.0) as i64);
        }
        self.values.sort_unstable();
        of.map(|percent| {
            let rank = (self.values.len() * percent).div_ceil(100).max(1) - 1;
            self.values.get(rank).copied().unwrap_or(0)
        })
    }

    /// How many values are at least so long; exact while values are kept.
    pub fn at_least(&self, bound: i64) -> u64 {
        match &self.histogram {
            Some(histogram) => histogram.count_between(bound.max(1) as u64, LONGEST),
            None => self.values.iter().filter(|value| **value >= bound).count() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut spread = Spread::default();
        for value in [5, 1, 4, 2, 3] {
            spread.add(value);
        }
        assert_eq!(spread.percentiles([50, 95]), [3, 5]);
        assert_eq!((spread.count(), spread.least(), spread.most()), (5, 1, 5));
        assert_eq!(spread.at_least(4), 2);
    }

    #[test]
    fn many_values_cost_no_more_memory_and_stay_close() {
        let mut spread = Spread::default();
        for value in 0..200_000 {
            spread.add(value * 1_000);
        }
        assert!(!spread.is_exact() && spread.values.is_empty());
        let [median] = spread.percentiles([50]);
        assert!((99_900_000..100_200_000).contains(&median), "{median}");
        assert_eq!(spread.most(), 199_999_000);
    }
}
