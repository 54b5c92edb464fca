package io.tidemark.replication.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.tidemark.replication.live.LiveStatus.ReplicationState;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A copy that goes over to another protocol while it is written. */
class LiveChangeTest extends DrivenCopy {
    @BeforeEach
    void beginsWithA() {
        copy = copy(5 * GIB, Protocol.A, NEW, UnaryOperator.identity());
        isPromoted();
        happens(write(2, 0));
        diskEnds();
        effects.clear();
    }

    private static LiveSettings settings(long size, Protocol protocol) {
        return new LiveSettings(A, B, size, protocol, Congestion.BLOCK, 1 << 20, 7, 16, 2, 1_000, false);
    }

    private void isToldOfC() {
        happens(new LiveEvent.Change(50, settings(5 * GIB, Protocol.C)));
    }

    private boolean isAnswered(long request) {
        return effects.contains(new LiveEffect.Answer(request));
    }

    @Test
    void whatTheProtocolBeforeAnsweredIsDurableBeforeAFlushIsAnswered() {
        happens(write(3, 4_096));
        happens(new LiveEvent.Written(((LiveEffect.WriteVolume) disk.removeFirst()).work()));
        assertThat(isAnswered(3)).isTrue();

        isToldOfC();
        happens(new LiveEvent.Flush(4));

        assertThat(isAnswered(50)).isTrue();
        assertThat(isAnswered(4)).isFalse();
        diskEnds();
        assertThat(isAnswered(4)).isTrue();
        happens(new LiveEvent.Flush(5));
        assertThat(isAnswered(5)).isTrue();
    }

    @Test
    void whatIsOnItsWayToTheDiskIsAnsweredOnceItIsDurable() {
        happens(write(3, 4_096));
        var writing = (LiveEffect.WriteVolume) disk.removeFirst();

        isToldOfC();
        diskEnds();
        happens(new LiveEvent.Written(writing.work()));

        assertThat(isAnswered(3)).isFalse();
        diskEnds();
        assertThat(isAnswered(3)).isTrue();
    }

    /** Whatever was answered under A by a process that was killed is in no flush yet. */
    @Test
    void theFirstFlushOfAPromotedCopyIsOneOfItsDisk() {
        copy = copy(5 * GIB, Protocol.C, NEW, UnaryOperator.identity());
        happens(new LiveEvent.Promote(1, Lease.NONE));
        happens(new LiveEvent.Flush(4));

        assertThat(copy.status().role()).isEqualTo(LiveStatus.Role.PRIMARY);
        assertThat(isAnswered(4)).isFalse();
        diskEnds();
        assertThat(isAnswered(4)).isTrue();
    }

    /** With a power cut here and a promotion there what was flushed would be overwritten, and nobody told. */
    @Test
    void aFlushWaitsForTheGenerationOfWhatThePeerLacks() {
        isEstablishedWithA();
        happens(write(2, 0));
        diskEnds();
        assertThat(isAnswered(2)).isTrue();
        happens(new LiveEvent.Lost(SESSION));
        var generation = (LiveEffect.Persist) disk.removeFirst();
        isToldOfC();
        while (disk.peekFirst() instanceof LiveEffect.FlushVolume flush) {
            disk.removeFirst();
            happens(new LiveEvent.Flushed(flush.work()));
        }

        happens(new LiveEvent.Flush(4));

        assertThat(isAnswered(4)).isFalse();
        happens(new LiveEvent.Persisted(generation.ticket()));
        diskEnds();
        assertThat(isAnswered(4)).isTrue();
    }

    private void isEstablishedWithA() {
        copy = copy(5 * GIB, Protocol.A, OLD, UnaryOperator.identity());
        happens(new LiveEvent.Connected(SESSION));
        var peers = hello(OLD, Map.of(), 5 * GIB);
        peerSays(new LiveMessage.Hello(
                peers.id(),
                peers.sizeBytes(),
                Protocol.A,
                peers.generations(),
                peers.role(),
                peers.differs(),
                peers.isConsistent(),
                peers.yields()));
        assertThat(copy.status().replication()).isEqualTo(ReplicationState.ESTABLISHED);
        isPromoted();
    }

    @Test
    void whoeverMeetsAPeerThatWasNotToldYetMeetsItAgain() {
        happens(new LiveEvent.Connected(SESSION));
        peerSays(hello(NEW, Map.of(), 5 * GIB));

        assertThat(all(LiveEffect.Disconnect.class)).hasSize(1);
        assertThat(copy.status().replication()).isEqualTo(ReplicationState.OFF);
    }

    @Test
    void itStaysTheCopyThatItIs() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> happens(new LiveEvent.Change(50, settings(4 * GIB, Protocol.C))));
    }
}
