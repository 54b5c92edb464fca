package io.tidemark.provider.gce;

import io.tidemark.provider.cloud.Attempts.Sleeper;
import io.tidemark.spi.ProviderException;
import java.time.Duration;

/** Looks from a start on, as long as the provider is open, for a helper's disks that nobody reads. */
record HelperTidying(HelperDisks disks, Sleeper sleeper) implements Runnable {
    /** Between two looks; a disk that is left costs by the second. */
    private static final Duration PAUSE = Duration.ofMinutes(1);

    @Override
    public void run() {
        try {
            while (disks.isOpen()) {
                look();
                sleeper.sleep(PAUSE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void look() {
        try {
            if (disks.mayHaveWork()) {
                var unused = disks.tidy();
            }
        } catch (ProviderException e) {
            // Without credentials or rights, or while Google cannot be asked: the next look finds it again.
            return;
        }
    }
}
