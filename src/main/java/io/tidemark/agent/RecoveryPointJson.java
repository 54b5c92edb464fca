package io.tidemark.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.RecoveryPoint;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import io.tidemark.spi.SnapshotId;
import java.util.List;
import java.util.Optional;

/** Recovery points as they travel: consistency, certificate and evidence go with the blocks. */
final class RecoveryPointJson {
    /** The frame holds 8 MiB; a byte over and the offer could not be sent at all. */
    static final int BYTES_MAXIMUM = 7 << 20;

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .addModules(new Jdk8Module(), new JavaTimeModule())
            // A newer peer may say more than this version knows.
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    private RecoveryPointJson() {}

    static String of(RecoveryPoint point) throws ReplicationException {
        try {
            byte[] json = MAPPER.writeValueAsBytes(point);
            if (json.length > BYTES_MAXIMUM) {
                throw new ReplicationException(new ReplicationError.State(
                        "recovery point " + point.id(),
                        "its evidence takes %d bytes, at most %d travel".formatted(json.length, BYTES_MAXIMUM)));
            }
            return new String(json, java.nio.charset.StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new AssertionError("a recovery point is plain data", e);
        }
    }

    static RecoveryPoint parse(String json) throws ReplicationException {
        try {
            var point = MAPPER.readValue(json, RecoveryPoint.class);
            if (point == null) {
                throw new ReplicationException(new ReplicationError.CorruptFrame("recovery point is null"));
            }
            return point;
        } catch (JsonProcessingException | NullPointerException e) {
            throw new ReplicationException(
                    new ReplicationError.CorruptFrame("recovery point is not readable: " + e.getMessage()), e);
        }
    }

    /** The target's own record of it: its volume, its snapshot, and the link it came over. */
    static RecoveryPoint received(RecoveryPoint sent, SnapshotId snapshot, long sizeBytes, LinkId link) {
        return new RecoveryPoint(
                sent.id(),
                sent.group(),
                sent.createdAt(),
                sent.consistency(),
                sent.certificate(),
                List.of(new RecoveryPoint.Member(snapshot.volume(), snapshot, sizeBytes)),
                sent.evidence(),
                Optional.of(link),
                sent.attestation());
    }
}
