//! What every adapter of `ProviderBreakers` has to do, whatever it is made of. Each rule uses a provider of its own. Tests only. Floor: edge.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::time::UnixMillis;
use crate::login::sending::ports::{ProviderBreakers, RestRules};

const NOW: UnixMillis = UnixMillis(1_795_512_600_000);
const RULES: RestRules = RestRules { failures: 3, within: Duration::from_secs(60), rest: Duration::from_secs(30) };

fn after(seconds: u64) -> UnixMillis {
    NOW.plus(Duration::from_secs(seconds))
}

/// The contract of `ProviderBreakers`.
pub(super) async fn provider_breakers(breakers: Arc<dyn ProviderBreakers>) {
    failures_in_a_row_let_it_rest(&*breakers).await;
    an_answer_forgets_them(&*breakers).await;
    failures_that_lie_apart_count_for_nothing(&*breakers).await;
    parallel_failures_begin_one_rest(&breakers).await;
}

async fn failures_in_a_row_let_it_rest(breakers: &dyn ProviderBreakers) {
    let provider = "fails";
    for seconds in [0, 10] {
        assert!(!breakers.failed(provider, &RULES, after(seconds)).await.unwrap());
        assert!(!breakers.rests(provider, after(seconds)).await.unwrap());
    }
    assert!(breakers.failed(provider, &RULES, after(20)).await.unwrap(), "the third");
    assert!(breakers.rests(provider, after(20)).await.unwrap());
    assert!(breakers.rests(provider, after(49)).await.unwrap());
    assert!(!breakers.failed(provider, &RULES, after(49)).await.unwrap(), "it rests already");
    assert!(!breakers.rests(provider, after(50)).await.unwrap(), "rested");
    assert!(breakers.failed(provider, &RULES, after(51)).await.unwrap(), "one more is enough");
    assert!(breakers.rests(provider, after(80)).await.unwrap());
    assert!(!breakers.rests("another", after(80)).await.unwrap());
}

async fn an_answer_forgets_them(breakers: &dyn ProviderBreakers) {
    let provider = "recovers";
    assert!(!breakers.answered(provider).await.unwrap());
    for _ in 0..2 {
        assert!(!breakers.failed(provider, &RULES, NOW).await.unwrap());
        assert!(!breakers.failed(provider, &RULES, NOW).await.unwrap());
        assert!(!breakers.answered(provider).await.unwrap());
    }
    for failure in 1..=3 {
        assert_eq!(breakers.failed(provider, &RULES, NOW).await.unwrap(), failure == 3);
    }
    assert!(breakers.answered(provider).await.unwrap(), "it had been resting");
    assert!(!breakers.rests(provider, NOW).await.unwrap());
}

async fn failures_that_lie_apart_count_for_nothing(breakers: &dyn ProviderBreakers) {
    for minutes in 0..10 {
        assert!(!breakers.failed("now-and-then", &RULES, after(minutes * 31)).await.unwrap(), "{minutes}");
    }
}

async fn parallel_failures_begin_one_rest(breakers: &Arc<dyn ProviderBreakers>) {
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let breakers = Arc::clone(breakers);
            tokio::spawn(async move { breakers.failed("crowded", &RULES, NOW).await.unwrap() })
        })
        .collect();
    let mut begun = 0;
    for task in tasks {
        begun += usize::from(task.await.unwrap());
    }
    assert_eq!(begun, 1);
}
