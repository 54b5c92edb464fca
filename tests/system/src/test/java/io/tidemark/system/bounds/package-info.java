/** What replication may take of a host: memory, allocations, the event loops' time. */
@org.jspecify.annotations.NullMarked
package io.tidemark.system.bounds;
