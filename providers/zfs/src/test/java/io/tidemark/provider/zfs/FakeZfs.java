package io.tidemark.provider.zfs;

import io.tidemark.provider.commands.CommandRunner;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Names and properties as ZFS keeps them, without bytes; notes which changes were asked for. */
class FakeZfs extends ZfsCommands {
    final Map<String, Map<String, String>> objects = new LinkedHashMap<>();
    final List<String> changes = new ArrayList<>();
    /** By file system. */
    final Map<String, PoolRoom.Room> rooms = new HashMap<>();

    private int made = 1;

    FakeZfs() {
        super(new CommandRunner());
    }

    void add(String name, Map<String, String> properties) {
        var all = new HashMap<>(properties);
        all.put("volsize", "32768");
        all.put("volblocksize", "16384");
        put(name, all);
    }

    /** A file system, or a snapshot of one. */
    void addFiles(String name, Map<String, String> properties) {
        var all = new HashMap<>(properties);
        all.put("referenced", "24576");
        put(name, all);
    }

    private void put(String name, Map<String, String> all) {
        all.put("guid", String.valueOf(made));
        all.put("createtxg", String.valueOf(made++));
        objects.put(name, all);
    }

    VolumeCatalog catalog() {
        return new VolumeCatalog(list("tank"));
    }

    @Override
    List<ZfsObject> list(String dataset) {
        return objects.entrySet().stream()
                .map(each -> new ZfsObject(each.getKey(), each.getValue()))
                .toList();
    }

    @Override
    Map<String, String> settings(String zvol) throws ProviderException {
        return Map.copyOf(properties(zvol));
    }

    @Override
    Map<String, PoolRoom.Room> rooms(List<String> names) throws ProviderException {
        if (!rooms.keySet().containsAll(names)) {
            throw new ProviderException(new ProviderError.Unexpected("test", "rooms of " + names));
        }
        return Map.copyOf(rooms);
    }

    Map<String, String> properties(String name) throws ProviderException {
        var found = objects.get(name);
        if (found == null) {
            throw new ProviderException(new ProviderError.Unexpected("test", "no " + name));
        }
        return found;
    }

    @Override
    void clone(String snapshot, String zvol, Map<String, String> properties) throws ProviderException {
        changes.add("clone " + snapshot + " " + zvol);
        if (properties(snapshot).containsKey("volsize")) {
            add(zvol, properties);
        } else {
            addFiles(zvol, properties);
        }
        properties(zvol).put("origin", snapshot);
    }

    @Override
    void rename(String name, String newName) throws ProviderException {
        changes.add("rename " + name + " " + newName);
        properties(name);
        if (objects.containsKey(newName)) {
            throw new ProviderException(new ProviderError.Unexpected("test", newName + " exists"));
        }
        for (var each : List.copyOf(objects.keySet())) {
            if (each.equals(name) || each.startsWith(name + "@") || each.startsWith(name + "/")) {
                objects.put(newName + each.substring(name.length()), objects.remove(each));
            }
        }
        for (var each : objects.values()) {
            each.computeIfPresent(
                    "origin",
                    (_, origin) -> origin.startsWith(name + "@") ? newName + origin.substring(name.length()) : origin);
        }
    }

    @Override
    void renameUnmounted(String name, String newName) throws ProviderException {
        changes.add("without mounting");
        rename(name, newName);
    }

    @Override
    void unset(String fileSystem, String property) throws ProviderException {
        changes.add("unset " + fileSystem + " " + property);
        properties(fileSystem).remove(property);
    }

    @Override
    void promote(String clone) throws ProviderException {
        changes.add("promote " + clone);
        var origin = properties(clone).remove("origin");
        if (origin != null) {
            objects.put(clone + origin.substring(origin.indexOf('@')), objects.remove(origin));
        }
    }

    @Override
    void destroy(String name) throws ProviderException {
        changes.add("destroy " + name);
        properties(name);
        objects.remove(name);
    }

    @Override
    void destroyWithClones(String snapshot) throws ProviderException {
        changes.add("destroy -d " + snapshot);
        properties(snapshot);
        objects.remove(snapshot);
    }

    @Override
    void rollback(String snapshot) throws ProviderException {
        changes.add("rollback " + snapshot);
        properties(snapshot);
    }

    @Override
    void set(String zvol, Map<String, String> values) throws ProviderException {
        changes.add("set " + zvol + " "
                + String.join(",", values.keySet().stream().sorted().toList()));
        properties(zvol).putAll(values);
    }
}
