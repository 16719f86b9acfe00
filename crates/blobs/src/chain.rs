//! Work on one thing, in jobs one after another, each for all batches that came meanwhile.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::Error;
use crate::batch::Batch;
use crate::blocking::{Share, join};

/// What batches are given to.
pub(crate) trait Work: Sized + Send + 'static {
    /// Whose threads the jobs take.
    fn share() -> &'static Share;

    /// Works on the batches in their order, on a thread of its own. After an error nothing follows.
    fn work(self, batches: &[Arc<Batch>]) -> Result<Self, Error>;
}

/// Jobs on a `T`. When this is dropped, the job that runs goes on to its end, and batches that wait are dropped.
///
/// No future of this loses anything when it is dropped.
pub(crate) struct Chain<T> {
    state: State<T>,
    /// For the next job.
    waiting: Vec<Arc<Batch>>,
}

enum State<T> {
    Idle(T),
    Busy(JoinHandle<Result<T, Error>>),
    /// A job failed.
    Ended,
}

impl<T: Work> Chain<T> {
    pub(crate) fn new(of: T) -> Self {
        Self {
            state: State::Idle(of),
            waiting: Vec::new(),
        }
    }

    /// How many batches no job has.
    pub(crate) fn behind(&self) -> usize {
        self.waiting.len()
    }

    /// Adds a batch to the next job.
    pub(crate) fn push(&mut self, batch: Arc<Batch>) {
        self.waiting.push(batch);
    }

    /// Begins the next job, once the one before is done, if batches wait for it.
    pub(crate) async fn go_on(&mut self) -> Result<(), Error> {
        self.idle().await?;
        if self.waiting.is_empty() {
            return Ok(());
        }
        let place = T::share().place().await?;
        let of = self.take()?;
        let batches = std::mem::take(&mut self.waiting);
        self.state = State::Busy(place.start(move || of.work(&batches)));
        Ok(())
    }

    /// Waits for the job that runs.
    pub(crate) async fn idle(&mut self) -> Result<&mut T, Error> {
        if let State::Busy(job) = &mut self.state {
            let done = join(job).await;
            self.state = State::Ended;
            self.state = State::Idle(done??);
        }
        match &mut self.state {
            State::Idle(of) => Ok(of),
            State::Busy(_) | State::Ended => Err(Error::Stopped),
        }
    }

    /// Waits until all batches are worked on.
    pub(crate) async fn settled(&mut self) -> Result<&mut T, Error> {
        self.go_on().await?;
        self.idle().await
    }

    /// Ends the chain when all batches are worked on.
    pub(crate) async fn end(mut self) -> Result<T, Error> {
        self.settled().await?;
        self.take()
    }

    fn take(&mut self) -> Result<T, Error> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Idle(of) => Ok(of),
            State::Busy(_) | State::Ended => Err(Error::Stopped),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use bytes::Bytes;
    use futures_util::FutureExt;

    use super::*;
    use crate::blocking::WRITING;

    /// Keeps the lengths of the batches of each job. A job ends when it is told how.
    struct Lengths {
        jobs: Vec<Vec<usize>>,
        ends: Receiver<Result<(), Error>>,
    }

    impl Work for Lengths {
        fn share() -> &'static Share {
            &WRITING
        }

        fn work(mut self, batches: &[Arc<Batch>]) -> Result<Self, Error> {
            self.ends.recv().unwrap()?;
            let lengths = batches.iter().map(|batch| batch.bytes());
            self.jobs.push(lengths.collect());
            Ok(self)
        }
    }

    fn chain() -> (Chain<Lengths>, Sender<Result<(), Error>>) {
        let (sender, ends) = channel();
        let jobs = Vec::new();
        (Chain::new(Lengths { jobs, ends }), sender)
    }

    fn push(chain: &mut Chain<Lengths>, length: usize) {
        let batch = Batch::from(Bytes::from(vec![0; length]));
        chain.push(Arc::new(batch));
    }

    #[tokio::test]
    async fn a_job_has_all_batches_that_came_during_the_one_before() {
        let (mut chain, ends) = chain();
        push(&mut chain, 1);
        chain.go_on().await.unwrap();
        for length in 2..=4 {
            push(&mut chain, length);
            // Dropped before the job is done.
            assert!(chain.go_on().now_or_never().is_none());
        }
        assert_eq!(chain.behind(), 3);
        for _ in 0..2 {
            ends.send(Ok(())).unwrap();
        }
        chain.go_on().await.unwrap();
        assert_eq!(chain.behind(), 0);
        assert_eq!(chain.end().await.unwrap().jobs, [vec![1], vec![2, 3, 4]]);
    }

    #[tokio::test]
    async fn without_a_batch_no_job_begins() {
        let (mut chain, _ends) = chain();
        chain.go_on().await.unwrap();
        assert!(chain.settled().await.unwrap().jobs.is_empty());
    }

    #[tokio::test]
    async fn after_a_job_that_failed_none_begins() {
        let (mut chain, ends) = chain();
        push(&mut chain, 1);
        chain.go_on().await.unwrap();
        push(&mut chain, 2);
        ends.send(Err(Error::NoSpace)).unwrap();
        assert!(matches!(chain.settled().await, Err(Error::NoSpace)));
        assert!(matches!(chain.go_on().await, Err(Error::Stopped)));
        assert!(matches!(chain.end().await, Err(Error::Stopped)));
    }
}
