package io.tidemark.domain;

import io.tidemark.spi.RecoveryPointId;
import java.time.Duration;
import java.util.Optional;

/**
 * What one synchronisation cost.
 *
 * @param base recovery point it built upon; empty for a first copy
 * @param changedRangeSource who named the ranges: {@code btrfs-send}, {@code fiemap}, {@code full}
 * @param namedBytes what the changed-range source named
 * @param readBytes read from the source's snapshots, older and newer
 * @param comparedBytes compared with the base, or hashed and compared with the target
 * @param changedBytes truly changed, at 4 KiB
 * @param sentPayloadBytes block bytes handed to frames before compression; zero blocks are not among them
 * @param sentWireBytes what the source wrote to the connection, framing and all, before TLS
 * @param resumedBytes payload the target already had from an interrupted try
 */
public record SyncReport(
        RecoveryPointId recoveryPoint,
        Optional<RecoveryPointId> base,
        String changedRangeSource,
        long namedBytes,
        long readBytes,
        long comparedBytes,
        long changedBytes,
        long sentPayloadBytes,
        long sentWireBytes,
        long resumedBytes,
        Duration duration) {}
