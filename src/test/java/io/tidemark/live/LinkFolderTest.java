package io.tidemark.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.live.AfterSplitBrain;
import io.tidemark.replication.live.AfterSplitBrain.NoPrimary;
import io.tidemark.replication.live.AfterSplitBrain.OnePrimary;
import io.tidemark.replication.live.Chosen;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.CopyId;
import io.tidemark.replication.live.LiveSettings;
import io.tidemark.replication.live.Protocol;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinkFolderTest {
    private static final long MIB = 1 << 20;
    private static final LiveSettings SETTINGS = new LiveSettings(
            new CopyId("a"),
            new CopyId("b"),
            8 * MIB,
            Protocol.A,
            Congestion.PULL_AHEAD,
            MIB,
            67,
            64,
            16,
            1_000,
            false);
    private static final LinkFolder.Wishes ALL = new LinkFolder.Wishes(
            true,
            true,
            Optional.of(new RecoveryPointId("rp-2")),
            List.of(new RecoveryPointId("rp-1")),
            true,
            Chosen.SELF);

    @TempDir
    Path parent;

    private static LiveHost.Link link(String id) {
        return new LiveHost.Link(
                new LinkId(id),
                new PeerId("berlin"),
                new VolumeId("memory:a"),
                new VolumeId("memory:b"),
                8 * MIB,
                true,
                new LiveHost.Terms(
                        Protocol.A,
                        Congestion.PULL_AHEAD,
                        MIB,
                        67,
                        MIB,
                        0,
                        true,
                        new AfterSplitBrain(NoPrimary.DISCARD_YOUNGER, OnePrimary.DISCARD_SECONDARY)),
                Instant.parse("2026-11-28T06:00:00Z"));
    }

    private List<String> names() throws Exception {
        try (var files = Files.list(parent)) {
            return files.map(each -> each.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void whatIsMadeIsFoundAgain() throws Exception {
        LinkFolder.create(parent, link("ln-2"), LinkFolder.Wishes.NONE, SETTINGS);
        LinkFolder.create(parent, link("ln-1"), ALL, SETTINGS);

        var found = LinkFolder.all(parent);

        assertThat(found).hasSize(2);
        assertThat(found.get(0).read()).isEqualTo(new LinkFolder.Found(link("ln-1"), ALL));
        assertThat(found.get(1).read()).isEqualTo(new LinkFolder.Found(link("ln-2"), LinkFolder.Wishes.NONE));
        assertThat(Files.getPosixFilePermissions(parent.resolve("ln-1"))).hasSize(3);
    }

    @Test
    void wishesThatChangedAreFoundAgain() throws Exception {
        var made = LinkFolder.create(parent, link("ln-1"), LinkFolder.Wishes.NONE, SETTINGS);
        for (var wishes : List.of(
                LinkFolder.Wishes.NONE.opened(),
                LinkFolder.Wishes.NONE.primary(true),
                LinkFolder.Wishes.NONE.chosen(Chosen.PEER),
                LinkFolder.Wishes.NONE.keptForGood(true).keeping(new RecoveryPointId("rp-1")),
                ALL,
                ALL.ended(new RecoveryPointId("rp-2"), true))) {
            made.write(link("ln-1"), wishes);
            assertThat(made.read().wishes()).isEqualTo(wishes);
        }
    }

    @Test
    void whatIsHeldIsNotForgottenBeforeItIsEnded() {
        var first = new RecoveryPointId("rp-1");
        var second = new RecoveryPointId("rp-2");
        var both = LinkFolder.Wishes.NONE.keeping(first).keptForGood(true).keeping(second);

        assertThat(both.held()).containsExactly(first, second);
        assertThat(both.keeping(second)).isEqualTo(both);
        assertThat(both.ended(first, true))
                .isEqualTo(LinkFolder.Wishes.NONE.keeping(second).keptForGood(true));
        assertThat(both.ended(first, true).ended(second, true)).isEqualTo(LinkFolder.Wishes.NONE);
        // It was wished for the one to come.
        assertThat(LinkFolder.Wishes.NONE
                        .keeping(first)
                        .keptForGood(true)
                        .ended(first, false)
                        .isKeptForGood())
                .isTrue();
    }

    @Test
    void whatACrashLeftIsRemovedAndTheRestStays() throws Exception {
        LinkFolder.create(parent, link("ln-1"), ALL, SETTINGS);
        for (var left : List.of("ln-2.new", "ln-3.gone")) {
            Files.createDirectory(parent.resolve(left));
            Files.writeString(parent.resolve(left).resolve("metadata"), "half");
        }
        // Within a change of wishes.
        Files.writeString(parent.resolve("ln-1").resolve("link.new"), "form");

        var found = LinkFolder.all(parent);

        assertThat(names()).containsExactly("ln-1");
        assertThat(found).hasSize(1);
        assertThat(found.getFirst().read().wishes()).isEqualTo(ALL);
        found.getFirst().write(link("ln-1"), LinkFolder.Wishes.NONE);
        assertThat(found.getFirst().read().wishes()).isEqualTo(LinkFolder.Wishes.NONE);
    }

    @Test
    void oneWhoseMakingWasCutIsMadeAnew() throws Exception {
        Files.createDirectory(parent.resolve("ln-1.new"));
        Files.writeString(parent.resolve("ln-1.new").resolve("metadata"), "half");

        var made = LinkFolder.create(parent, link("ln-1"), ALL, SETTINGS);

        assertThat(made.read().wishes()).isEqualTo(ALL);
        assertThat(names()).containsExactly("ln-1");
    }

    @Test
    void twoOfOneNameAreRefusedAndTheFirstStays() throws Exception {
        LinkFolder.create(parent, link("ln-1"), ALL, SETTINGS);

        assertThatIOException()
                .isThrownBy(() -> LinkFolder.create(parent, link("ln-1"), LinkFolder.Wishes.NONE, SETTINGS));

        assertThat(LinkFolder.all(parent).getFirst().read().wishes()).isEqualTo(ALL);
    }

    @Test
    void oneThatIsRemovedIsGoneAndItsNameIsFree() throws Exception {
        for (int round = 0; round < 2; round++) {
            var made = LinkFolder.create(parent, link("ln-1"), ALL, SETTINGS);
            made.remove();
            assertThat(names()).isEmpty();
        }
    }

    @Test
    void damageAndOtherFormatsAreRefusedWithTheFile() throws Exception {
        var made = LinkFolder.create(parent, link("ln-1"), ALL, SETTINGS);
        var file = parent.resolve("ln-1").resolve("link");
        var text = Files.readString(file);

        Files.writeString(file, text.replace("format=1", "format=2"));
        assertThatIOException()
                .isThrownBy(made::read)
                .withMessageContaining(file.toString())
                .withMessageContaining("format 2");
        for (var damage : List.of(
                text.replace("protocol=A", "protocol=X"),
                text.replace("sizeBytes=8388608", "sizeBytes="),
                text.replace("createdAt=2026", "createdAt=x"),
                text.replace("id=ln-1", "id="))) {
            assertThat(damage).isNotEqualTo(text);
            Files.writeString(file, damage);
            assertThatIOException()
                    .isThrownBy(made::read)
                    .withMessageContaining(file.toString())
                    .withMessageContaining("is damaged");
        }
        Files.delete(file);
        assertThatIOException().isThrownBy(made::read);
    }
}
