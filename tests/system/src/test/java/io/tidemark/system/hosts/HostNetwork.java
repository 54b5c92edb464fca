package io.tidemark.system.hosts;

import io.tidemark.system.ground.Kept;
import io.tidemark.system.ground.Programs;
import io.tidemark.system.ground.Watchdog;
import java.io.IOException;
import java.util.List;

/** A bridge on this host, and hosts on it, each in a network namespace of its own. */
final class HostNetwork implements AutoCloseable {
    private static final String PREFIX = "10.231.77.";

    private final String bridge;
    private final Kept made = new Kept();
    private int hosts = 1;

    /** A host that can be cut off. */
    final class Cable {
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

        /** Nothing passes any more, and nobody is told. */
        void cut() throws IOException {
            Programs.run("ip", "link", "set", device, "nomaster");
        }

        void mend() throws IOException {
            Programs.run("ip", "link", "set", device, "master", bridge);
        }
    }

    HostNetwork() throws IOException {
        // Of this process: another run beside this one has its own.
        bridge = "tmbr" + ProcessHandle.current().pid() % 100_000;
        undone("ip", "link", "del", bridge);
        Programs.run("ip", "link", "add", bridge, "type", "bridge");
        Programs.run("ip", "addr", "add", address() + "/24", "dev", bridge);
        Programs.run("ip", "link", "set", bridge, "up");
    }

    /** Of the host that the tests run on. */
    String address() {
        return PREFIX + 1;
    }

    Cable host(String name) throws IOException {
        hosts++;
        String namespace = bridge + name;
        String device = "v" + bridge.substring(4) + name;
        undone("ip", "netns", "del", namespace);
        Programs.run("ip", "netns", "add", namespace);
        Programs.run("ip", "link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", namespace);
        Programs.run("ip", "link", "set", device, "master", bridge, "up");
        Programs.run("ip", "-n", namespace, "addr", "add", PREFIX + hosts + "/24", "dev", "eth0");
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
