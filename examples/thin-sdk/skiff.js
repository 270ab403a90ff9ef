'use strict';
// A thin SDK for Node >= 18: publish what you provide, subscribe to what you call, take both back when you stop.

const API = process.env.SKIFF_API || 'http://127.0.0.1:20883';

async function skiff(verb, service) {
  const response = await fetch(`${API}/${verb}`, { method: 'POST', body: JSON.stringify({ service }) });
  const answer = await response.json();
  if (answer.err_no !== 0) throw new Error(`${verb} ${service.interface}: ${answer.err_msg}`);
  return answer; // state is "pending" where the registry is away: the agent goes on trying
}

module.exports = {
  publish: (service) => skiff('publish', service),
  unpublish: (service) => skiff('unpublish', service),
  subscribe: (service) => skiff('subscribe', service),
  unsubscribe: (service) => skiff('unsubscribe', service),
};
