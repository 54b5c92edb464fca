package io.tidemark.live;

import io.tidemark.export.ExportImage;
import io.tidemark.export.VolumeImage;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.ByteBuffer;

/** What a peer wishes does not overwrite what somebody may need. */
final class TargetData {
    private static final int EXTENTS_AT_ONCE = 64;
    private static final int READ_BYTES = 1 << 20;
    /** Of what the storage cannot tell to be zeros: seconds, while the peer waits. */
    private static final long READ_MAXIMUM_BYTES = 4L << 30;

    private TargetData() {}

    /** @throws ReplicationException PeerRefused where the volume has anything but zeros, or too much to tell soon */
    static void refuse(LiveHostParts host, VolumeId id) throws ProviderException, IOException, ReplicationException {
        try (var image = VolumeImage.of(host.providers().of(id).write(id), host.calls())) {
            long at = 0;
            long read = 0;
            while (at < image.sizeBytes()) {
                for (var extent : image.extents(at, image.sizeBytes() - at, EXTENTS_AT_ONCE)) {
                    if (!extent.zero()) {
                        long left = Math.min(extent.lengthBytes(), READ_MAXIMUM_BYTES - read);
                        refuse(id, image, at, left);
                        read += left;
                        if (left < extent.lengthBytes()) {
                            throw refused(
                                    "volume %s may have data there: its first %d bytes are zeros".formatted(id, at));
                        }
                    }
                    at += extent.lengthBytes();
                }
            }
        }
    }

    private static void refuse(VolumeId id, ExportImage image, long from, long length)
            throws IOException, ReplicationException {
        for (long done = 0; done < length; done += READ_BYTES) {
            var bytes = ByteBuffer.allocate((int) Math.min(READ_BYTES, length - done));
            image.read(from + done, bytes);
            if (Zeros.orBytes(bytes.flip()).data().isPresent()) {
                throw refused("volume %s has data there, in the mebibyte at %d".formatted(id, from + done));
            }
        }
    }

    private static ReplicationException refused(String what) {
        return new ReplicationException(new ReplicationError.PeerRefused(
                "target-has-data", what + ": name one that does not exist, or say that it may be overwritten"));
    }
}
