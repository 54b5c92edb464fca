package io.tidemark.bootstrap;

/** What a role ends with, for its caller. */
final class RoleExit {
    /** The configuration cannot be used. */
    private static final int BAD_INPUT = 3;
    /** It could not start: port taken, state folder in use, storage refused. */
    private static final int FAILED = 6;

    private RoleExit() {}

    interface Role {
        void run() throws SettingsException, SiteStartException, InterruptedException;
    }

    /** Runs it to its end, and says in one line why it could not. */
    static int of(Role role) throws InterruptedException {
        try {
            role.run();
            return 0;
        } catch (SettingsException e) {
            System.err.println("tidemark: " + e.getMessage());
            return BAD_INPUT;
        } catch (SiteStartException e) {
            System.err.println("tidemark: " + e.getMessage());
            return FAILED;
        }
    }
}
