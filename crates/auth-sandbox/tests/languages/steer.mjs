// All five providers with nothing but fetch.

const env = process.env;
const control = async (method, path, body) => {
  const headers = { "content-type": "application/json" };
  const text = method === "GET" ? undefined : JSON.stringify(body ?? {});
  const answer = await fetch(`${env.CONTROL}/${path}`, { method, headers, body: text });
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
};
const form = (fields) => new URLSearchParams({ grant_type: "client_credentials", ...fields });
const json = (fields) => ({
  body: JSON.stringify(fields),
  headers: { "content-type": "application/json" },
});

const asked = {
  digitalpaye: [
    `${env.DIGITALPAYE_BASE_URL}/v1/auth`,
    { headers: { authorization: `Basic ${btoa(`${env.DIGITALPAYE_API_KEY}:${env.DIGITALPAYE_API_SECRET}`)}` } },
  ],
  digishare: [
    `${env.DIGISHARE_BASE_URL}/v1/oauth/token`,
    json({
      grant_type: "client_credentials",
      client_id: env.DIGISHARE_CLIENT_ID,
      client_secret: env.DIGISHARE_CLIENT_SECRET,
    }),
  ],
  tresorpay: [
    env.TRESORPAY_TOKEN_URL,
    { body: form({ client_id: env.TRESORPAY_CLIENT_ID, client_secret: env.TRESORPAY_CLIENT_SECRET }) },
  ],
  papaya: [
    `${env.PAPAYA_BASE_URL}/token`,
    json({ api_key: env.PAPAYA_API_KEY, client_secret: env.PAPAYA_CLIENT_SECRET }),
  ],
  manis: [
    `${env.MANIS_BASE_URL}/api/v1/auth/token`,
    { headers: { "x-merchant-id": env.MANIS_MERCHANT_ID, "x-secret": env.MANIS_SECRET } },
  ],
};

for (const [provider, [url, options]] of Object.entries(asked)) {
  const ask = () => fetch(url, { method: "POST", ...options });
  await control("POST", "faults", { provider, fault: { kind: "status", status: 503 } });
  const failed = await ask();
  if (failed.status !== 503) throw new Error(`${provider}: ${failed.status} under a fault`);
  await control("DELETE", `faults?provider=${provider}`);
  const answer = await ask();
  const text = await answer.text();
  if (!answer.ok || !text.includes("ey")) throw new Error(`${provider}: ${answer.status} ${text}`);
  const [last] = (await control("GET", "journal?limit=1")).records;
  if (last.provider !== provider || last.verdict !== "granted") throw new Error(last.line);
}
console.log("five of five");
