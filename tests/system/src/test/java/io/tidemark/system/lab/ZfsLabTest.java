package io.tidemark.system.lab;

import io.tidemark.provider.zfs.FileSystemVolumesInLab;
import io.tidemark.provider.zfs.StreamedFileSystemsInLab;
import io.tidemark.provider.zfs.ZfsProviderInLab;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Providers over OpenZFS, in a lab that was built with it. */
@Tag("system-lab")
class ZfsLabTest {
    /** As many as the kernel knows; each test takes the next one. */
    private static final int DISKS = 16;

    @BeforeEach
    void requirePackages() throws IOException {
        StorageLab.require();
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void zvolsKeepTheContractOfProviders() throws Exception {
        StorageLab.withDisks("1G").withZfs().within(Duration.ofMinutes(20)).testInParts(ZvolsInLab.class, 2);
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void fileSystemsKeepTheContractOfProviders() throws Exception {
        StorageLab.withDisks("1G").withZfs().within(Duration.ofMinutes(20)).testInParts(ZfsFileSystemsInLab.class, 2);
    }

    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void snapshotsOfFileSystemsTravel() throws Exception {
        StorageLab.withDisks("500M", "500M")
                .withZfs()
                .within(Duration.ofMinutes(15))
                .testEach(ZfsStreamsInLab.class, StreamedFileSystemsInLab.class);
    }

    /** The guest of the kinds of storage together has two sites in it. */
    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void killsFreezesAndOtherKindsOfStorageAreCopedWith() throws Exception {
        StorageLab.withDisks("1500M", "1G", "2G", "2G")
                .withZfs()
                .withMemory(3_072)
                .within(Duration.ofMinutes(15))
                .testEach(StoragesTogetherInLab.class, ZfsProviderInLab.class, FileSystemVolumesInLab.class);
    }

    /** Small disks: the tests fill them up. */
    @Test
    @Execution(ExecutionMode.CONCURRENT)
    void faultsAndCrowdsLoseNothing() throws Exception {
        StorageLab.withDisks(Collections.nCopies(DISKS, "160M").toArray(String[]::new))
                .withZfs()
                .within(Duration.ofMinutes(15))
                // The longest first, for two run at once.
                .testEach(
                        ZfsKilledProgramInLab.class,
                        ZfsFaultsInLab.class,
                        ZfsFailingDiskInLab.class,
                        ZfsCrowdInLab.class);
    }
}
