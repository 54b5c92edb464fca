package io.tidemark.discovery;

import io.tidemark.consistency.Mount;
import io.tidemark.consistency.MountTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** What runs, where it keeps what, and which volumes those places lie on. Asks no server and changes nothing. */
public final class Discovery {
    private final ProcFolder proc;
    private final BlockChain blocks;
    private final Optional<List<KnownVolume>> volumes;

    /**
     * @param volumes of the site; empty where it did not tell
     */
    public Discovery(Path proc, Path sys, Optional<List<KnownVolume>> volumes) {
        this.proc = new ProcFolder(proc);
        this.blocks = new BlockChain(sys);
        this.volumes = volumes.map(List::copyOf);
    }

    /**
     * Where a place lies.
     *
     * @param what a phrase that says what it is
     * @param fileSystem {@code ext4}
     * @param chain the devices below, and the image files of loop devices; topmost first
     * @param volume that holds it; empty where none does
     */
    public record Place(
            Path path,
            String what,
            Path mountPoint,
            String fileSystem,
            String source,
            List<Path> chain,
            Optional<String> volume) {

        /** By what people know it. */
        public String device() {
            return chain.isEmpty() ? source : chain.getFirst().toString();
        }
    }

    /**
     * A database server that runs.
     *
     * @param kind of its quiescer
     * @param settings of its quiescer, as far as they can be seen
     * @param toComplete settings that cannot be seen, by name with what they are
     * @param notes for whoever reads, one phrase each
     * @param lacks why it cannot be part of the group, one phrase each
     */
    public record Server(
            String kind,
            int pid,
            List<Place> places,
            Map<String, String> settings,
            Map<String, String> toComplete,
            List<String> notes,
            List<String> lacks) {}

    /** @param pids which processes count */
    public List<Server> find(Predicate<Integer> pids) throws IOException {
        var own = proc.mounts();
        var servers = new ArrayList<Server>();
        for (var found : new ServerSearch(proc).find()) {
            if (pids.test(found.process().pid())) {
                servers.add(server(found, own));
            }
        }
        return servers;
    }

    private Server server(FoundServer found, MountTable own) {
        var places = new ArrayList<Place>();
        var lacks = new ArrayList<String>();
        if (!found.unseen().isEmpty()) {
            lacks.add(found.unseen());
        }
        found.data().forEach((path, what) -> {
            try {
                var place = place(found.process(), path, what, own);
                places.add(place);
                if (volumes.isPresent() && place.volume().isEmpty()) {
                    lacks.add("%s %s lies on %s at %s, which is %s, and no volume of the site"
                            .formatted(what, path, place.fileSystem(), place.mountPoint(), place.device()));
                }
            } catch (IOException e) {
                lacks.add("%s %s cannot be followed: %s".formatted(what, path, e.getMessage()));
            }
        });
        var notes = new ArrayList<>(found.notes());
        if (found.unseen().isEmpty() && found.process().otherNamespace()) {
            notes.add("it sees other mounts than this host: settings name its port, which must be reachable from here");
        }
        return new Server(
                found.kind(), found.process().pid(), places, found.settings(), found.toComplete(), notes, lacks);
    }

    private Place place(HostProcess process, Path path, String what, MountTable own) throws IOException {
        var followed = process.root().follow(path);
        var mount = process.mounts()
                .holding(followed)
                .orElseThrow(() -> new IOException("nothing is mounted there, as far as can be seen"));
        var chain = blocks.under(mount);
        var volume = volumes.flatMap(known -> known.stream()
                .filter(each -> holds(each, process, followed, mount, chain, own))
                .map(KnownVolume::id)
                .findFirst());
        return new Place(path, what, mount.mountPoint(), mount.type(), mount.source(), chain, volume);
    }

    private static boolean holds(
            KnownVolume volume, HostProcess process, Path followed, Mount mount, List<Path> chain, MountTable own) {
        if (volume.files()) {
            var device = statDevice(process.root().onHost(followed));
            return volume.mountPoints().stream()
                    .map(Discovery::statDevice)
                    .anyMatch(root -> root.isPresent() && root.equals(device));
        }
        boolean mounted = volume.mountPoints().stream()
                .flatMap(point -> own.holding(point).stream()
                        // What is not mounted there, as of a site on another host, has nothing here.
                        .filter(there -> there.mountPoint().equals(point)))
                .anyMatch(there -> there.device().equals(mount.device()));
        return mounted || volume.device().filter(device -> rests(chain, device)).isPresent();
    }

    /** The site may call a device by another of its names. */
    private static boolean rests(List<Path> chain, Path device) {
        if (chain.contains(device)) {
            return true;
        }
        try {
            return chain.contains(device.toRealPath());
        } catch (IOException e) {
            // Not on this host.
            return false;
        }
    }

    /** As stat(2) says, which tells subvolumes and file systems of a pool apart. */
    private static Optional<Object> statDevice(Path path) {
        try {
            return Optional.of(Files.getAttribute(path, "unix:dev"));
        } catch (IOException e) {
            // Gone, or not to be seen.
            return Optional.empty();
        }
    }
}
