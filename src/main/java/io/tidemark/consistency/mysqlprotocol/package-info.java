/** What the quiescers of servers that speak MySQL's client/server protocol share: how they are reached, and their files. */
@NullMarked
package io.tidemark.consistency.mysqlprotocol;

import org.jspecify.annotations.NullMarked;
