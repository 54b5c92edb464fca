package io.tidemark.provider.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.commands.Command;
import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.spi.FileTrees;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a provider must do whose snapshots travel as its storage's own streams. A provider's test class says how to open
 * it over two storages, and adds only its own quirks.
 */
public abstract class StreamContract extends StreamGround {
    private static final Optional<RecoveryPointId> WHOLE = Optional.empty();

    /** In which stat(1) counts, whatever the file system. */
    private static final int BLOCK_BYTES = 512;

    /** Of a file that has two names a storage tells either. */
    private static final String LARGE = "(?i).*(large|hard).*";

    /** Places in a stream at which it is cut off or damaged, in each of those tests. */
    protected int places() {
        return 8;
    }

    /** Snapshots after the first one in each chain. */
    protected int rounds() {
        return 3;
    }

    @Test
    void wholeSnapshotArrivesAsItIs() throws Exception {
        var point = cutFilled();

        var taken = take(target(), WHOLE, point, sent(source(), WHOLE, point));

        assertThat(taken.id()).isEqualTo(target().at(point));
        assertThat(target().provider().readiness(taken.id())).isNotNull();
        assertThat(listed(target())).containsExactly(point);
        assertThat(files(target(), point)).isEqualTo(files(source(), point));
        rollback(target(), point);
        assertThat(FileTree.of(root(target()))).isEqualTo(files(source(), point));
    }

    @Test
    void whatHasChangedArrivesUponWhatWasThere() throws Exception {
        var older = cutFilled();
        carry(source(), target(), WHOLE, older);
        FileTree.change(root(source()), 2);
        var newer = cut(source());
        var before = files(target(), older);

        var stream = sent(source(), Optional.of(older), newer);
        take(target(), Optional.of(older), newer, stream);

        assertThat(stream.length).isLessThan(sent(source(), WHOLE, newer).length / 2);
        assertThat(files(target(), newer)).isEqualTo(files(source(), newer)).isNotEqualTo(before);
        assertThat(files(target(), older)).isEqualTo(before);
        rollback(target(), newer);
        assertThat(FileTree.of(root(target()))).isEqualTo(files(source(), newer));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void chainOfRandomChangesArrives(long seed) throws Exception {
        var random = new Random(seed);
        var older = cutFilled();
        carry(source(), target(), WHOLE, older);

        for (int round = 0; round < rounds(); round++) {
            FileTree.shuffle(root(source()), random);
            var newer = cut(source());
            carry(source(), target(), Optional.of(older), newer);
            assertThat(files(target(), newer)).as("round %d", round).isEqualTo(files(source(), newer));
            source().provider().delete(source().at(older));
            target().provider().delete(target().at(older));
            older = newer;
        }
    }

    @Test
    void holesStayHoles() throws Exception {
        var point = cutFilled();

        take(target(), WHOLE, point, sent(source(), WHOLE, point));

        try (var tree = ((FileTrees) target().provider()).tree(target().at(point))) {
            var file = tree.root().resolve("sparse");
            var blocks = new CommandRunner().run(Command.of("stat", "-c", "%b", file.toString()));
            assertThat(Long.parseLong(blocks.stdout().strip()) * BLOCK_BYTES).isLessThan(Files.size(file) / 10);
        }
    }

    @Test
    void sameSnapshotsGiveTheSameBytes() throws Exception {
        var older = cutFilled();
        FileTree.change(root(source()), 2);
        var newer = cut(source());

        assertThat(sent(source(), WHOLE, newer)).isEqualTo(sent(source(), WHOLE, newer));
        assertThat(sent(source(), Optional.of(older), newer)).isEqualTo(sent(source(), Optional.of(older), newer));
    }

    @Test
    void directionIsReversedAndReversedAgain() throws Exception {
        var first = cutFilled();
        carry(source(), target(), WHOLE, first);
        FileTree.change(root(target()), 3);
        var second = cut(target());

        carry(target(), source(), Optional.of(first), second);

        assertThat(FileTree.of(root(source()))).isEqualTo(files(target(), second));
        assertThat(files(source(), second)).isEqualTo(files(target(), second));
        FileTree.shuffle(root(source()), new Random(4));
        var third = cut(source());
        carry(source(), target(), Optional.of(second), third);
        assertThat(files(target(), third)).isEqualTo(files(source(), third));
    }

    @Test
    void streamUponAnotherSnapshotIsRefused() throws Exception {
        var first = cutFilled();
        carry(source(), target(), WHOLE, first);
        FileTree.change(root(source()), 2);
        var second = cut(source());
        carry(source(), target(), Optional.of(first), second);
        var third = cut(source());
        var uponSecond = sent(source(), Optional.of(second), third);
        var before = FileTree.of(root(target()));

        errorOf(ProviderError.Corrupt.class, () -> take(target(), Optional.of(first), third, uponSecond));
        errorOf(
                ProviderError.Corrupt.class,
                () -> take(target(), Optional.of(second), third, sent(source(), WHOLE, third)));

        assertThat(listed(target())).containsExactly(first, second);
        assertThat(FileTree.of(root(target()))).isEqualTo(before);
        take(target(), Optional.of(second), third, uponSecond);
        assertThat(files(target(), third)).isEqualTo(files(source(), third));
    }

    @Test
    void streamUponAnOlderSnapshotLeavesNewerOnes() throws Exception {
        var first = cutFilled();
        carry(source(), target(), WHOLE, first);
        FileTree.change(root(source()), 2);
        var second = cut(source());
        var uponFirst = sent(source(), Optional.of(first), second);
        Files.writeString(root(target()).resolve("own"), "of the target");
        var own = cut(target());
        var before = files(target(), own);

        take(target(), Optional.of(first), second, uponFirst);
        assertThat(files(target(), second)).isEqualTo(files(source(), second));
        var third = cut(source());
        take(target(), WHOLE, third, sent(source(), WHOLE, third));
        assertThat(files(target(), third)).isEqualTo(files(source(), third));

        assertThat(listed(target())).contains(first, own);
        assertThat(files(target(), own)).isEqualTo(before);
        assertThat(FileTree.of(root(target()))).isEqualTo(before);
    }

    @Test
    void incrementalStreamIsNoWholeOne() throws Exception {
        var older = cutFilled();
        Files.writeString(root(source()).resolve("new"), "new");
        var newer = cut(source());
        var stream = sent(source(), Optional.of(older), newer);

        errorOf(ProviderError.Corrupt.class, () -> take(target(), WHOLE, newer, stream));

        assertNothingCame();
    }

    @Test
    void streamThatEndsEarlyLeavesNothing() throws Exception {
        var point = cutFilled();
        var stream = sent(source(), WHOLE, point);

        for (int place = 0; place < places(); place++) {
            int length = place == places() - 1 ? stream.length - 1 : stream.length / places() * place;
            var early = Arrays.copyOf(stream, length);
            errorOf(ProviderError.Corrupt.class, () -> take(target(), WHOLE, point, early));
            assertNothingCame();
        }

        take(target(), WHOLE, point, stream);
        assertThat(files(target(), point)).isEqualTo(files(source(), point));
    }

    @Test
    void damagedStreamLeavesNothing() throws Exception {
        Files.writeString(root(source()).resolve("file"), "some text");
        var older = cut(source());
        carry(source(), target(), WHOLE, older);
        FileTree.fill(root(source()), 5);
        var newer = cut(source());
        var stream = sent(source(), Optional.of(older), newer);
        var random = new Random(6);
        var before = FileTree.of(root(target()));

        for (int place = 0; place < places(); place++) {
            var damaged = stream.clone();
            int at = place < 2 ? place * 40 : random.nextInt(stream.length);
            damaged[at] ^= (byte) (1 << random.nextInt(8));
            errorOf(ProviderError.Corrupt.class, () -> take(target(), Optional.of(older), newer, damaged));
            assertThat(listed(target())).as("byte %d", at).containsExactly(older);
        }

        assertThat(FileTree.of(root(target()))).isEqualTo(before);
        take(target(), Optional.of(older), newer, stream);
        assertThat(files(target(), newer)).isEqualTo(files(source(), newer));
    }

    @Test
    void streamThatIsClosedUnfinishedLeavesNothing() throws Exception {
        var point = cutFilled();
        var stream = sent(source(), WHOLE, point);

        var incoming = target().streams().receive(WHOLE, target().at(point));
        incoming.write(ByteBuffer.wrap(stream, 0, stream.length / 2));
        incoming.close();
        incoming.close();

        assertNothingCame();
        take(target(), WHOLE, point, stream);
        assertThat(files(target(), point)).isEqualTo(files(source(), point));
    }

    @Test
    void streamThatWasComingInWhenItsProviderClosedLeavesNothing() throws Exception {
        var point = cutFilled();
        var stream = sent(source(), WHOLE, point);
        var incoming = target().streams().receive(WHOLE, target().at(point));
        incoming.write(ByteBuffer.wrap(stream, 0, stream.length / 2));

        reopenTarget();

        assertNothingCame();
        take(target(), WHOLE, point, stream);
        assertThat(files(target(), point)).isEqualTo(files(source(), point));
        incoming.close();
        assertThat(listed(target())).containsExactly(point);
    }

    @Test
    void whatIsHereOrMissingIsNamed() throws Exception {
        var point = cutFilled();
        carry(source(), target(), WHOLE, point);
        var absent = new RecoveryPointId("rp-absent");
        var nowhere = new SnapshotId(VolumeId.of(target().provider().name(), "nowhere"), point);

        errorOf(ProviderError.Conflict.class, () -> target().streams().receive(WHOLE, target().at(point)));
        errorOf(ProviderError.Conflict.class, () -> target().streams().receive(Optional.of(point), target().at(point)));
        errorOf(ProviderError.VolumeNotFound.class, () -> target().streams().receive(WHOLE, nowhere));
        errorOf(
                ProviderError.SnapshotNotFound.class,
                () -> target().streams().receive(Optional.of(absent), target().at(new RecoveryPointId("rp-next"))));
        errorOf(ProviderError.SnapshotNotFound.class, () -> source().streams().send(WHOLE, source().at(absent)));
        errorOf(
                ProviderError.SnapshotNotFound.class,
                () -> source().streams().send(Optional.of(absent), source().at(point)));
        errorOf(
                ProviderError.SnapshotNotFound.class,
                () -> target().streams().changedSince(target().volume(), Optional.of(absent)));
        errorOf(ProviderError.VolumeNotFound.class, () -> target().streams().changedSince(nowhere.volume(), WHOLE));
    }

    @Test
    void snapshotsThatAreBeingSentAreNotDeleted() throws Exception {
        var older = cutFilled();
        FileTree.change(root(source()), 2);
        var newer = cut(source());

        try (var outgoing = source().streams().send(Optional.of(older), source().at(newer))) {
            assertThat(outgoing.read(ByteBuffer.allocate(10))).isPositive();
            for (var point : new RecoveryPointId[] {older, newer}) {
                errorOf(ProviderError.Busy.class, () -> source().provider().delete(source().at(point)));
            }
            outgoing.close();
        }

        source().provider().delete(source().at(older));
        source().provider().delete(source().at(newer));
        assertThat(listed(source())).isEmpty();
    }

    @Test
    void emptyVolumeHasNotChangedUntilSomethingLiesInIt() throws Exception {
        assertThat(target().streams().changedSince(target().volume(), WHOLE)).isEmpty();

        Files.writeString(root(target()).resolve("file"), "of somebody");

        assertThat(target().streams().changedSince(target().volume(), WHOLE))
                .hasValueSatisfying(evidence -> assertThat(evidence).contains("file"));
    }

    @Test
    void readingAFileIsNoChangeAndWritingIs() throws Exception {
        var point = cutFilled();
        carry(source(), target(), WHOLE, point);
        assertUnchanged(point);
        var file = root(target()).resolve("folder/inner/small");
        var before = lastAccess(file);
        Thread.sleep(50);
        Files.readAllBytes(file);
        assertThat(lastAccess(file))
                .as("time of last access, or nothing is tested")
                .isNotEqualTo(before);

        assertUnchanged(point);

        for (int change = 0; change < CHANGES; change++) {
            // After a rollback it may have to be made seen again.
            changes(root(target()))[change].call();
            assertThat(target().streams().changedSince(target().volume(), Optional.of(point)))
                    .hasValueSatisfying(evidence -> assertThat(evidence).matches(LARGE));
            rollback(target(), point);
            assertUnchanged(point);
        }
    }

    private static final int CHANGES = 4;

    private interface Change {
        void call() throws Exception;
    }

    private static Change[] changes(Path root) {
        var large = root.resolve("large");
        return new Change[] {
            () -> Files.write(large, new byte[] {1}, StandardOpenOption.WRITE),
            () -> Files.writeString(root.resolve("LARGE2"), "new"),
            () -> Files.setAttribute(large, "unix:mode", 0777),
            () -> Files.delete(large)
        };
    }

    private void assertUnchanged(RecoveryPointId point) throws ProviderException {
        assertThat(target().streams().changedSince(target().volume(), Optional.of(point)))
                .isEmpty();
    }

    private static Object lastAccess(Path file) throws Exception {
        return Files.readAttributes(file, BasicFileAttributes.class).lastAccessTime();
    }

    private void assertNothingCame() throws Exception {
        assertThat(listed(target())).isEmpty();
        assertThat(target().streams().changedSince(target().volume(), WHOLE)).isEmpty();
    }

    private static <E extends ProviderError> void errorOf(Class<E> kind, ThrowingCallable call) {
        var thrown = Assertions.catchThrowableOfType(ProviderException.class, call);
        assertThat(thrown).as("a %s", kind.getSimpleName()).isNotNull();
        assertThat(thrown.error()).isInstanceOf(kind);
    }
}
