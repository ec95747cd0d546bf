// What happens inside Redis, in one step each, so that servers that ask at once see one
// order and count together.

/**
 * A Lua program for Redis 6 and Valkey. KEYS[1] is the base of all keys of a kind:
 * `<base><member>` is a record, `<base>all` a sorted set of the members by last use in
 * epoch seconds, `<base>of:<mark>` the same for one owner, whose mark a member begins
 * with. ARGV: what to do, a JSON object of arguments, and the text that goes with it.
 * Answers with a status and a text.
 * @see https://redis.io/docs/latest/develop/programmability/eval-intro/
 */
export const REDIS_SCRIPT = `
local base, what, a, text = KEYS[1], ARGV[1], cjson.decode(ARGV[2]), ARGV[3]
local all = base .. 'all'
local function own(member) return base .. 'of:' .. string.sub(member, 1, 16) end
local function drop(member)
  redis.call('DEL', base .. member)
  redis.call('ZREM', all, member)
  redis.call('ZREM', own(member), member)
end
local function prune()
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', all, '-inf', a.now - a.age)) do drop(member) end
end
local function room(member)
  local count = redis.call('ZCARD', own(member))
  if count >= a.perUser then
    for _, oldest in ipairs(redis.call('ZRANGE', own(member), 0, count - a.perUser)) do drop(oldest) end
    return true
  end
  if redis.call('ZCARD', all) < a.count then return true end
  prune()
  return redis.call('ZCARD', all) < a.count
end
local function touch(member)
  redis.call('ZADD', all, a.now, member)
  redis.call('ZADD', own(member), a.now, member)
end
if what == 'prune' then prune() return {'ok', ''} end
if what == 'count' then return {'ok', tostring(redis.call('ZCARD', all))} end

local member, record = a.member, base .. a.member
local usedAt = tonumber(redis.call('ZSCORE', all, member) or '-inf')
local function created() return tonumber(redis.call('HGET', record, 'createdAt') or '-inf') end
if what == 'remove' then drop(member) return {'ok', ''} end
if what == 'get' or what == 'set' then
  local known = created()
  if a.now - usedAt >= a.age or a.now - known >= a.absolute then
    drop(member)
    known = nil
  end
  if what == 'get' then
    if not known then return {'none', ''} end
    if math.abs(a.now - usedAt) > a.touch then touch(member) end
    return {'ok', redis.call('HGET', record, 'session')}
  end
  if not known and not room(member) then return {'full', ''} end
  redis.call('HSET', record, 'createdAt', known or a.now, 'session', text)
  redis.call('EXPIRE', record, a.keep)
  touch(member)
  return {'ok', ''}
end
if what == 'read' then
  if a.now - usedAt >= a.age then return {'none', ''} end
  return {'ok', redis.call('GET', record) or ''}
end
local length = redis.call('STRLEN', record)
if a.opening then
  if length > 0 then return {'exists', ''} end
  if #text > a.most then return {'long', ''} end
  if not room(member) then return {'full', ''} end
elseif length == 0 then return {'none', ''}
elseif length + #text > a.most then return {'long', ''} end
redis.call('APPEND', record, text)
redis.call('EXPIRE', record, a.keep)
touch(member)
return {'ok', redis.call('GET', record)}
`;
