package io.tidemark.agent;

import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.Peer;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.spi.VolumeId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Two sites that trust each other, and a link of a volume of the first that the second does not know yet.
 *
 * @param peer the second, as the first knows it
 */
record PairedSites(TestSite a, TestSite b, Peer peer, ReplicationLink link) implements AutoCloseable {

    static PairedSites in(Path folder, VolumeId here, VolumeId there, long volumeBytes) throws Exception {
        var a = new TestSite(Files.createDirectory(folder.resolve("a")));
        var b = new TestSite(Files.createDirectory(folder.resolve("b")));
        var invitation = b.pairing.invite(new PeerId("site-a"), Duration.ofMinutes(5));
        var peer = a.pairing.accept(new PeerId("site-b"), invitation.token());
        a.provider.create(here, volumeBytes);
        var link = new ReplicationLink(
                new LinkId("ln-1"),
                ReplicationLink.Role.SOURCE,
                peer.id(),
                here,
                there,
                new GroupId("orders"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
        return new PairedSites(a, b, peer, link);
    }

    @Override
    public void close() {
        a.close();
        b.close();
    }
}
