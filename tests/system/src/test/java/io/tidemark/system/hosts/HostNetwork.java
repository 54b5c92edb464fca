package io.tidemark.system.hosts;

import io.tidemark.system.ground.Kept;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.ground.Watchdog;
import java.io.IOException;
import java.util.List;

/** A bridge on this host, and hosts on it, each in a network namespace of its own. */
final class HostNetwork implements AutoCloseable {
    private final String bridge;
    private final String prefix;
    private final Kept made = new Kept();
    private int hosts = 1;

    /** A host that can be cut off. */
    static final class Cable {
        private final String namespace;
        private final String device;

        private Cable(String namespace, String device) {
            this.namespace = namespace;
            this.device = device;
        }

        /** What runs a command there. */
        List<String> enter() {
            return List.of("ip", "netns", "exec", namespace);
        }

        /**
         * Nothing passes any more, in neither direction, and nobody is told. Taken out of the bridge alone, a device
         * still lets in what is meant for the bridge's address, where that was its own.
         */
        void cut() throws IOException {
            Programs.run("ip", "link", "set", device, "down");
        }

        void mend() throws IOException {
            Programs.run("ip", "link", "set", device, "up");
        }
    }

    HostNetwork() throws IOException {
        // Of this process: another run beside this one has its own.
        long number = ProcessHandle.current().pid() % 100_000;
        bridge = "tmbr" + number;
        prefix = "10.%d.%d.".formatted(128 + number / 256 % 64, number % 256);
        undone("ip", "link", "del", bridge);
        Programs.run("ip", "link", "add", bridge, "type", "bridge");
        Programs.run("ip", "addr", "add", address() + "/24", "dev", bridge);
        Programs.run("ip", "link", "set", bridge, "up");
    }

    /** Of the host that the tests run on. */
    String address() {
        return prefix + 1;
    }

    Cable host(String name) throws IOException {
        hosts++;
        String namespace = bridge + name;
        String device = "v" + bridge.substring(4) + name;
        undone("ip", "netns", "del", namespace);
        Programs.run("ip", "netns", "add", namespace);
        Programs.run("ip", "link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", namespace);
        Programs.run("ip", "link", "set", device, "master", bridge, "up");
        Programs.run("ip", "-n", namespace, "addr", "add", prefix + hosts + "/24", "dev", "eth0");
        Programs.run("ip", "-n", namespace, "link", "set", "eth0", "up");
        Programs.run("ip", "-n", namespace, "link", "set", "lo", "up");
        return new Cable(namespace, device);
    }

    private void undone(String... command) throws IOException {
        var undo = Watchdog.get().remember(String.join(" ", command));
        AutoCloseable unmaking = () -> {
            Programs.run(command);
            undo.close();
        };
        var unused = made.keep(unmaking);
    }

    @Override
    public void close() throws IOException {
        made.close();
    }
}
