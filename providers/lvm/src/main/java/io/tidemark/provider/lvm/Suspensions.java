package io.tidemark.provider.lvm;

import io.tidemark.nativeblock.DeviceMapper;
import io.tidemark.nativeblock.HostCallException;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Volumes that a cut suspends, and what it could not resume: its writers wait. A cut and a resuming wait for each other. */
final class Suspensions {
    private static final System.Logger LOG = System.getLogger(Suspensions.class.getName());
    private static final Duration RETRY = Duration.ofSeconds(1);

    private final String group;
    private final LvmCommands commands;
    private final DeviceMapper devices;
    /** Devices that a cut of this process could not resume. */
    private final Set<String> left = new HashSet<>();

    Suspensions(String group, LvmCommands commands, DeviceMapper devices) {
        this.group = group;
        this.commands = commands;
        this.devices = devices;
    }

    interface CutCall {
        List<DeviceMapper.CutOutcome> run() throws IOException;
    }

    /** What is thrown here leaves all as it was prepared. */
    synchronized List<DeviceMapper.CutOutcome> cutting(CutCall cut) throws ProviderException {
        resumeLeft();
        // Held by others in the rare moment in which what a killed program has left is taken back, by programs.
        if (!commands.suspensions().tryLock()) {
            throw new ProviderException(new ProviderError.Busy(
                    "volume group " + group, "the resuming of what a killed program has left", RETRY));
        }
        try {
            return cut.run();
        } catch (IOException e) {
            throw CutErrors.untried(group, e);
        } finally {
            commands.suspensions().unlock();
        }
    }

    synchronized void left(String device) {
        left.add(device);
    }

    synchronized void resumeLeft() {
        left.removeIf(this::resume);
    }

    /** @return false where it is still suspended */
    synchronized boolean resume(String device) {
        try {
            if (devices.resume(device)) {
                LOG.log(System.Logger.Level.WARNING, "lvm.resumed device={0}", device);
            }
            return true;
        } catch (IOException e) {
            if (e instanceof HostCallException call && call.errno() == HostCallException.ENXIO) {
                return true;
            }
            LOG.log(System.Logger.Level.ERROR, "lvm.not_resumed device={0} reason=\"{1}\"", device, e.getMessage());
            return false;
        }
    }
}
