package io.tidemark.provider.btrfs;

import io.tidemark.nativeblock.HostCalls;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Set;

/** Host calls of a process that dies at one of those that change something; from then on it does nothing more. */
final class DyingHost {
    private static final Set<String> CHANGES = Set.of(
            "btrfsCreateSubvolume",
            "btrfsSnapshot",
            "btrfsSetReceived",
            "exchange",
            "renameToNew",
            "btrfsDeleteSubvolume",
            "btrfsCommit");

    private final int deadlyChange;
    private final boolean afterIt;
    private int changes;
    private boolean dead;

    /** @param afterIt whether the change is made before the process dies */
    DyingHost(int deadlyChange, boolean afterIt) {
        this.deadlyChange = deadlyChange;
        this.afterIt = afterIt;
    }

    static final class Death extends Error {
        private static final long serialVersionUID = 1L;
    }

    /** Something that happens just before a call is made. */
    interface Before {
        void call(String name) throws Exception;
    }

    static HostCalls before(HostCalls real, Before before) {
        return (HostCalls) Proxy.newProxyInstance(
                HostCalls.class.getClassLoader(), new Class<?>[] {HostCalls.class}, (_, method, arguments) -> {
                    before.call(method.getName());
                    try {
                        return method.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    HostCalls over(HostCalls real) {
        return (HostCalls) Proxy.newProxyInstance(
                HostCalls.class.getClassLoader(), new Class<?>[] {HostCalls.class}, (_, method, arguments) -> {
                    boolean deadly = CHANGES.contains(method.getName()) && ++changes == deadlyChange;
                    dead |= deadly && !afterIt;
                    if (dead) {
                        throw new Death();
                    }
                    try {
                        return method.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    } finally {
                        dead |= deadly;
                        if (dead) {
                            throwDeath();
                        }
                    }
                });
    }

    private static void throwDeath() {
        throw new Death();
    }
}
