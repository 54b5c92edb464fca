package io.tidemark.consistency;

import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Volume;
import io.tidemark.spi.VolumeId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The file systems of this host that can be frozen for a cut. */
public interface FileSystems {

    /** Why no file system can be frozen on this host; empty when they can. */
    Optional<String> unavailableReason();

    /**
     * File systems mounted from these volumes, in order of the volumes, each once however often it is mounted. None of
     * a volume with {@link io.tidemark.spi.Capability#FILES}: it needs no freeze, and one that is frozen may not be cut.
     */
    List<MountedVolume> mountedFrom(List<Volume> volumes) throws ConsistencyException;

    /**
     * Refuses to freeze what Tidemark itself needs in order to thaw, or what the cut writes to.
     *
     * @param volumes whose storage the cut writes to
     * @throws ConsistencyException StandsOnIt
     */
    void refuseWhatWeStandOn(List<MountedVolume> fileSystems, List<Volume> volumes) throws ConsistencyException;

    /**
     * Makes ready to freeze all of these, under one limit that begins with the freeze: starts what will thaw them if
     * this process dies, and writes down what is about to be frozen. Nothing is frozen yet.
     *
     * @throws ConsistencyException FreezeFailed
     */
    Armed arm(RecoveryPointId recoveryPoint, List<MountedVolume> fileSystems, Duration limit)
            throws ConsistencyException;

    /**
     * An armed freeze of nothing that runs through the same code: done once before a real one, so that no class is
     * loaded while writers are held.
     */
    Armed rehearsal();

    /** Thaws what a process before this one left frozen, as its journal names it. Never throws. */
    void sweep();

    /**
     * A file system on a volume.
     *
     * @param device {@code major:minor}, the file system's identity on this host
     * @param type {@code ext4}
     */
    record MountedVolume(VolumeId volume, String device, Path mountPoint, String type) {}

    /** Ready to freeze. Closing it disarms, and thaws what is still frozen. */
    interface Armed extends AutoCloseable {

        /** Writes out what is dirty on the file systems, so that the freeze itself has little to write. */
        void flush() throws ConsistencyException;

        /** Freezes all in order. When it throws, nothing is frozen. Called once. */
        Frozen freeze() throws ConsistencyException;

        @Override
        void close();

        /** Where there is nothing to freeze. */
        Armed NOTHING = new Armed() {
            @Override
            public void flush() {}

            @Override
            public Frozen freeze() {
                return new Frozen() {
                    @Override
                    public boolean heldUntilNow() {
                        return true;
                    }

                    @Override
                    public Release thaw() {
                        return Release.NOTHING;
                    }
                };
            }

            @Override
            public void close() {}
        };
    }
}
