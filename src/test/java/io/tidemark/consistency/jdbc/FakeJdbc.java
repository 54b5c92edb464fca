package io.tidemark.consistency.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a driver is to {@link JdbcConnection}, over a session of a server that is made up. No call of another kind works. */
public final class FakeJdbc {
    private FakeJdbc() {}

    /** One session, as the server sees it. */
    public interface Session {
        /** Rows of texts, bytes or nulls; none for a statement that has none. */
        List<List<Object>> execute(String sql) throws SQLException;

        /** Ends what another thread executes. */
        void cancel();

        void close();

        /** A driver gives up, and closes, when the server has said nothing for so long. */
        void networkTimeout(int millis);

        void queryTimeout(int seconds);
    }

    public static Connection connection(Session session) {
        return proxy(Connection.class, (method, arguments) -> switch (method) {
            case "createStatement" -> statement(session);
            case "setNetworkTimeout" -> {
                session.networkTimeout((Integer) arguments[1]);
                yield null;
            }
            case "close" -> {
                session.close();
                yield null;
            }
            default -> throw new UnsupportedOperationException("Connection." + method);
        });
    }

    private static Statement statement(Session session) {
        return proxy(Statement.class, (method, arguments) -> switch (method) {
            case "execute" -> {
                session.execute((String) arguments[0]);
                yield false;
            }
            case "executeQuery" -> resultSet(session.execute((String) arguments[0]));
            case "setQueryTimeout" -> {
                session.queryTimeout((Integer) arguments[0]);
                yield null;
            }
            case "cancel" -> {
                session.cancel();
                yield null;
            }
            case "close" -> null;
            default -> throw new UnsupportedOperationException("Statement." + method);
        });
    }

    private static ResultSet resultSet(List<List<Object>> rows) {
        var at = new int[] {-1};
        return proxy(ResultSet.class, (method, arguments) -> switch (method) {
            case "next" -> ++at[0] < rows.size();
            case "getString", "getBytes" -> rows.get(at[0]).get((Integer) arguments[0] - 1);
            case "close" -> null;
            default -> throw new UnsupportedOperationException("ResultSet." + method);
        });
    }

    @FunctionalInterface
    private interface Calls {
        @Nullable
        Object call(String method, Object[] arguments) throws SQLException;
    }

    private static <T> T proxy(Class<T> type, Calls calls) {
        InvocationHandler handler = (Object self, Method method, Object @Nullable [] arguments) ->
                calls.call(method.getName(), arguments == null ? new Object[0] : arguments);
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    /** As drivers report a statement that they cancelled at its limit. */
    public static SQLException timedOut() {
        return new SQLTimeoutException("The query has timed out.");
    }
}
