// Makes more comfortable what works without it: nothing here is needed to sign in.
(() => {
  'use strict';
  const each = (selector, act) => document.querySelectorAll(selector).forEach(act);

  // A mistake: begin at the summary, and let its link go to the field without leaving a hash in the address.
  each('[data-focus]', (box) => box.focus());
  each('[role=alert] a[href^="#"]', (link) => link.addEventListener('click', (event) => {
    const field = document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    field.focus();
  }));

  // The part after # never reaches a server: carry it along.
  if (location.hash) {
    each('input[data-keep-hash]', (field) => {
      if (!field.value.includes('#')) field.value = (field.value || '/') + location.hash;
    });
    each('a[data-keep-hash]', (link) => { link.hash = location.hash; });
  }

  // Show and hide the password; it is hidden again before it is sent, so that browsers do not keep it as text.
  each('[data-toggle]', (button) => {
    const field = document.getElementById(button.dataset.toggle);
    const show = (visible) => {
      field.type = visible ? 'text' : 'password';
      button.textContent = visible ? button.dataset.hide : button.dataset.show;
      button.setAttribute('aria-label', visible ? button.dataset.hideLabel : button.dataset.showLabel);
    };
    button.hidden = false;
    button.addEventListener('click', () => show(field.type === 'password'));
    field.form.addEventListener('submit', () => show(false));
  });

  // Send a form once. After ten seconds, or when the page comes back, it can be sent again.
  each('form[data-guard]', (form) => {
    const button = form.querySelector('[type=submit]');
    let sent = false;
    const release = () => { sent = false; button.removeAttribute('aria-busy'); };
    form.addEventListener('submit', (event) => {
      if (sent) { event.preventDefault(); return; }
      sent = true;
      button.setAttribute('aria-busy', 'true');
      setTimeout(release, 10000);
    });
    addEventListener('pageshow', release);
  });

  // Count down until the code may be asked for again; only the end is announced.
  each('[data-seconds]', (span) => {
    const until = performance.now() + Number(span.dataset.seconds) * 1000;
    const words = (unit) => new Intl.NumberFormat(document.documentElement.lang, { style: 'unit', unit, unitDisplay: 'long' });
    const tick = setInterval(() => {
      const left = Math.ceil((until - performance.now()) / 1000);
      if (left > 0) {
        span.textContent = left < 90 ? words('second').format(left) : words('minute').format(Math.ceil(left / 60));
        return;
      }
      clearInterval(tick);
      each('[data-wait]', (sentence) => { sentence.hidden = true; });
      each('[data-ready]', (line) => { line.textContent = line.dataset.ready; });
    }, 1000);
  });

  // A moment in the reader's own time.
  each('time[data-local]', (time) => {
    const words = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: 'medium', timeStyle: 'short' });
    time.textContent = words.format(new Date(time.dateTime));
  });

  // Phones that offer it fill the code in; the person still presses the button.
  const code = document.querySelector('[data-otp]');
  if (code && 'OTPCredential' in window) {
    const stop = new AbortController();
    code.form.addEventListener('submit', () => stop.abort());
    navigator.credentials.get({ otp: { transport: ['sms'] }, signal: stop.signal })
      .then((message) => { if (message && !code.value) code.value = message.code; })
      .catch(() => {});
  }
})();
