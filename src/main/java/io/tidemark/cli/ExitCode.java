package io.tidemark.cli;

import io.tidemark.client.ClientError;
import java.net.HttpURLConnection;

/** What the process says to whoever called it. Documented in {@code docs/operating/cli.md}; never renumbered. */
final class ExitCode {
    static final int OK = 0;
    /** Our own mistake; the message asks for a report. */
    static final int BUG = 1;

    static final int USAGE = 2;
    static final int REFUSED = 3;
    static final int NOT_FOUND = 4;
    static final int UNREACHABLE = 5;
    static final int OPERATION_FAILED = 6;
    static final int DENIED = 7;
    static final int TRY_LATER = 8;
    static final int STILL_RUNNING = 9;
    /** A list that takes part of the hosts for all of them would be believed. */
    static final int INCOMPLETE = 10;

    /** For {@code --help}: code and meaning, in order. */
    static final String[] MEANINGS = {
        "0:done",
        "1:a defect of tidemark itself; please report it",
        "2:the command line was not understood",
        "3:refused: bad input, or the state of things does not allow it",
        "4:no such thing",
        "5:the site does not answer, or what answers is not a site",
        "6:the operation failed or was cancelled",
        "7:the token is missing, unknown or not enough",
        "8:busy or out of room; the same command may work later",
        "9:the operation still runs, waiting ended",
        "10:a list without some agents' part; standard error names them",
    };

    private static final int TOO_MANY_REQUESTS = 429;
    private static final int INSUFFICIENT_STORAGE = 507;

    private ExitCode() {}

    static int of(ClientError error) {
        return switch (error) {
            case ClientError.Refused refused -> ofStatus(refused.status());
            case ClientError.Unreachable unreachable -> UNREACHABLE;
            case ClientError.Unintelligible unintelligible -> UNREACHABLE;
            case ClientError.Unusable unusable -> REFUSED;
            case ClientError.OperationFailed failed -> OPERATION_FAILED;
            case ClientError.StillRunning running -> STILL_RUNNING;
        };
    }

    private static int ofStatus(int status) {
        return switch (status) {
            case HttpURLConnection.HTTP_NOT_FOUND -> NOT_FOUND;
            case HttpURLConnection.HTTP_UNAUTHORIZED, HttpURLConnection.HTTP_FORBIDDEN -> DENIED;
            case HttpURLConnection.HTTP_UNAVAILABLE, TOO_MANY_REQUESTS, INSUFFICIENT_STORAGE -> TRY_LATER;
            default -> status >= 500 ? OPERATION_FAILED : REFUSED;
        };
    }
}
