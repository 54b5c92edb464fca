package io.tidemark.system.ground;

import io.tidemark.attach.Attachment;
import java.io.IOException;
import java.nio.file.Path;

/** Takes a device of {@code tidemark attach} away by force where the test has not detached it, be it killed. */
public final class AttachedDevice implements AutoCloseable {
    private final String command;
    private final Watchdog.Undo remembered;
    private boolean isDetached;

    /** @param mountPoint where it may be mounted */
    public AttachedDevice(Attachment made, Path mountPoint) throws IOException {
        command = "kill -9 %d; umount -l '%s'; losetup -d %s; umount -l '%s'; true"
                .formatted(
                        made.relay(), mountPoint, made.device(), made.folder().resolve("fuse"));
        remembered = Watchdog.get().remember(command);
    }

    public void detached() throws IOException {
        isDetached = true;
        remembered.close();
    }

    @Override
    public void close() throws IOException {
        if (!isDetached) {
            Programs.run("bash", "-c", command);
            detached();
        }
    }
}
