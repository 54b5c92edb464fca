package io.tidemark.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class ClaimsTest {
    private static final Claim A = new Claim("a", true);
    private static final Claim B = new Claim("b", true);
    private static final Claim SHARED_A = new Claim("a", false);

    private final Claims claims = new Claims();

    @Test
    void anExclusiveClaimKeepsOthersOutAndNamesItsHolder() throws Exception {
        claims.acquire("one", List.of(A));

        assertThat(claims.tryAcquire("two", List.of(A))).contains("one");
        assertThat(claims.tryAcquire("two", List.of(SHARED_A))).contains("one");
        assertThat(claims.tryAcquire("two", List.of(B))).isEmpty();
    }

    @Test
    void sharedClaimsStandBesideEachOtherAndKeepAnExclusiveOneOut() throws Exception {
        claims.acquire("one", List.of(SHARED_A));
        claims.acquire("two", List.of(SHARED_A));
        claims.release("one");

        assertThat(claims.tryAcquire("three", List.of(A))).contains("two");
        claims.release("two");
        assertThat(claims.tryAcquire("three", List.of(A))).isEmpty();
    }

    @Test
    void allClaimsAreGrantedTogetherOrNone() throws Exception {
        claims.acquire("one", List.of(B));

        assertThat(claims.tryAcquire("two", List.of(A, B))).contains("one");

        assertThat(claims.tryAcquire("three", List.of(A))).isEmpty();
    }

    @Test
    void aHolderThatClaimsOneThingTwiceReleasesIt() throws Exception {
        claims.acquire("one", List.of(A, SHARED_A));

        claims.release("one");

        assertThat(claims.tryAcquire("two", List.of(A))).isEmpty();
    }

    @Test
    void waitersThatWantTheSameComeInOrderAndNobodyIsPassedForEver() throws Exception {
        claims.acquire("first", List.of(SHARED_A));
        var order = new CopyOnWriteArrayList<String>();
        var exclusive = waiter("exclusive", A, order);
        awaitWaiting(exclusive);
        var late = waiter("late", SHARED_A, order);
        awaitWaiting(late);

        assertThat(order).isEmpty();
        claims.release("first");
        exclusive.join();
        late.join();

        assertThat(order).containsExactly("exclusive", "late");
    }

    @Test
    void aWaiterThatIsInterruptedLeavesTheQueue() throws Exception {
        claims.acquire("first", List.of(A));
        var left = new CountDownLatch(1);
        var waiting = Thread.ofPlatform().start(() -> {
            try {
                claims.acquire("second", List.of(A));
            } catch (InterruptedException asked) {
                left.countDown();
            }
        });
        awaitWaiting(waiting);
        waiting.interrupt();

        assertThat(left.await(10, TimeUnit.SECONDS)).isTrue();
        claims.release("first");
        assertThat(claims.tryAcquire("third", List.of(A))).isEmpty();
    }

    @Test
    void anInterruptedThreadDoesNotBeginToWait() {
        Thread.currentThread().interrupt();

        assertThatThrownBy(() -> claims.acquire("one", List.of(A))).isInstanceOf(InterruptedException.class);

        assertThat(claims.tryAcquire("two", List.of(A))).isEmpty();
    }

    private Thread waiter(String holder, Claim claim, List<String> order) {
        return Thread.ofPlatform().start(() -> {
            try {
                claims.acquire(holder, List.of(claim));
                order.add(holder);
                claims.release(holder);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
    }

    private static void awaitWaiting(Thread thread) {
        Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> thread.getState() == Thread.State.WAITING);
    }
}
