package io.tidemark.provider.gce;

import io.tidemark.spi.CloneRequest;
import io.tidemark.spi.Handle;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Instant;
import java.util.Optional;

/**
 * What a handle's token says: {@code clone VOLUME SNAPSHOT LOCATION OPERATION} or {@code delete SNAPSHOT UNTIL
 * OPERATION}, {@code replicate PRIMARY SECONDARY LOCATION/OPERATION} or {@code unreplicate VOLUME GROUP
 * LOCATION/OPERATION}; the time in seconds since 1970, a hyphen where there is no operation.
 */
sealed interface GceHandles {
    /** @param operation Google's name of the work, in the place where the disk is to be */
    record Clone(CloneRequest request, GceLocation location, Optional<String> operation) implements GceHandles {}

    /**
     * @param until when one that is not seen does not exist
     * @param operation Google's name of the deletion, where it has taken it on
     */
    record Delete(SnapshotId snapshot, Instant until, Optional<String> operation) implements GceHandles {}

    /** @param operation Google's name of the work, and where it goes on; empty: none is known */
    record Replicate(VolumeId primary, VolumeId secondary, Optional<Work> operation) implements GceHandles {}

    record StopReplication(VolumeId volume, boolean wholeGroup, Optional<Work> operation) implements GceHandles {}

    /** An operation of a zone or a region. */
    record Work(GceLocation place, String name) {
        static String word(Optional<Work> work) {
            return work.map(each -> each.place + "/" + each.name).orElse("-");
        }

        static Optional<Work> of(String word) {
            int at = word.indexOf('/');
            return at < 0
                    ? Optional.empty()
                    : Optional.of(new Work(new GceLocation(word.substring(0, at)), word.substring(at + 1)));
        }
    }

    default Handle handle() {
        return switch (this) {
            case Clone(var request, var place, var operation) ->
                new Handle(
                        request.name().provider(),
                        "clone %s %s %s %s"
                                .formatted(request.name(), request.snapshot(), place, operation.orElse("-")));
            case Delete(var snapshot, var until, var operation) ->
                new Handle(
                        snapshot.volume().provider(),
                        "delete %s %d %s".formatted(snapshot, until.getEpochSecond(), operation.orElse("-")));
            case Replicate(var primary, var secondary, var work) ->
                new Handle(primary.provider(), "replicate %s %s %s".formatted(primary, secondary, Work.word(work)));
            case StopReplication(var volume, var wholeGroup, var work) ->
                new Handle(volume.provider(), "unreplicate %s %s %s".formatted(volume, wholeGroup, Work.word(work)));
        };
    }

    /** @throws IllegalArgumentException where it is none of ours */
    static GceHandles parse(Handle handle) {
        var words = handle.token().split(" ", -1);
        if (words.length == 5 && words[0].equals("clone")) {
            var request = new CloneRequest(SnapshotId.parse(words[2]), new VolumeId(words[1]));
            return new Clone(request, new GceLocation(words[3]), operation(words[4]));
        }
        if (words.length == 4 && words[0].equals("delete") && words[2].matches("[0-9]{1,12}")) {
            return new Delete(
                    SnapshotId.parse(words[1]), Instant.ofEpochSecond(Long.parseLong(words[2])), operation(words[3]));
        }
        if (words.length == 4 && words[0].equals("replicate")) {
            return new Replicate(new VolumeId(words[1]), new VolumeId(words[2]), Work.of(words[3]));
        }
        if (words.length == 4 && words[0].equals("unreplicate")) {
            return new StopReplication(new VolumeId(words[1]), words[2].equals("true"), Work.of(words[3]));
        }
        throw new IllegalArgumentException("no handle of provider gce: " + handle);
    }

    private static Optional<String> operation(String word) {
        return word.equals("-") ? Optional.empty() : Optional.of(word);
    }
}
